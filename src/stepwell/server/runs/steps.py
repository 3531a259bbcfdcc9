"""Background work of the room: a supervising step per run, and the watch over all launches."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell.events import emit
from stepwell.launchers.notices import wait_for_an_end
from stepwell.launchers.protocol import LaunchStatus
from stepwell.outcome import Outcome, rerun
from stepwell.registry import Registry
from stepwell.server.runs import launching, queries
from stepwell.server.runs.service import SUPERVISE, activate_supervisor
from stepwell.server.runs.supervision import WATCH, Supervision
from stepwell.server.services import RETRY, Services
from stepwell.step import Priority

SLICE: Final = 2.0
"""Seconds that the watch looks before it commits that it lives, so that a stop need not wait."""
LOOK_EVERY: Final = 0.2
"""Seconds between two looks at what is running, unless a launcher tells of an end."""
IDLE: Final = 60.0
"""Seconds between looks while nothing runs; a launch wakes the watch."""


def register(registry: Registry, services: Services) -> None:
    """Add the handlers of this room."""

    @registry.handler(SUPERVISE, retry=RETRY)
    def supervise(state: dict[str, Any]) -> Outcome:
        return Supervision(services, UUID(state["run_id"]), state.get("silence")).move()

    @registry.handler(WATCH, retry=RETRY)
    def watch() -> Outcome:
        return Watch(services).slice()


def seed(conn: Connection, services: Services) -> None:
    """There is always one watch; it goes before the looks of a burst, which it may end."""
    services.ensure(conn, WATCH, priority=Priority.HIGH)


class Watch:
    """Looks at everything that was launched, and wakes the supervisors of what has ended.

    It decides nothing (R33).
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self.told: set[tuple[UUID, int]] = set()

    def slice(self) -> Outcome:
        """Look for a while; soon again while something runs, else when woken."""
        end = time.monotonic() + SLICE
        while self.look():
            if time.monotonic() >= end:
                return rerun(after=LOOK_EVERY)
            wait_for_an_end(self.services.launchers.values(), LOOK_EVERY)
        return rerun(after=IDLE)

    def look(self) -> int:
        """Ask the launchers about every open launch; how many there are."""
        with self.services.db.read() as conn:
            launches = queries.open_launches(conn)
        for launch in launches:
            who = (launch["run_id"], launch["number"])
            here = launch["launcher"] in self.services.launchers  # else another server looks
            status = self._polled(launch) if here and who not in self.told else None
            if status is None:
                continue
            if status.state == "ended":
                self.told.add(who)
                self._tell(launch["run_id"])
            elif launching.as_kept(status.condition) != launch["launch_condition"]:
                self._keep(launch, status)
        return len(launches)

    def _polled(self, launch: RowMapping) -> LaunchStatus | None:
        launcher = launch["launcher"]
        try:
            return self.services.launcher(launcher).poll(launch["handle"])
        except Exception as error:  # one launcher's surprise must not end the watch over all
            emit("watch.poll_failed", launcher=launcher, error=repr(error))
            return None

    def _keep(self, launch: RowMapping, status: LaunchStatus) -> None:
        """What it waits for, for servers without that launcher, and for those who look later."""
        kept = launching.as_kept(status.condition)
        with self.services.db.write() as conn:
            values = {"launch_condition": kept}
            queries.change_attempt(conn, launch["run_id"], launch["number"], **values)

    def _tell(self, run_id: UUID) -> None:
        with self.services.db.write() as conn:
            activate_supervisor(self.services.db.steps(conn), run_id)
