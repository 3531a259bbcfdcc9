"""The list of all server steps. A room adds itself by one line in `ROOMS`.

A room's `steps.py` has `register(registry, services)`, which adds its handlers,
and, if some of its steps must always be there, `seed(conn, services)`, which adds
those that are missing (`services.ensure`; adding twice is harmless). Handlers find what
they need in the closure; they run in the queue `services.QUEUE` with the policy
`services.RETRY`.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from stepwell.engine import sweeping
from stepwell.registry import Registry
from stepwell.server.blobs import steps as blobs
from stepwell.server.bulk import steps as bulk
from stepwell.server.discoveries import rediscovering
from stepwell.server.discoveries import steps as discoveries
from stepwell.server.first_run import steps as first_run
from stepwell.server.jobs import steps as jobs
from stepwell.server.logs import steps as logs
from stepwell.server.metrics import steps as metrics
from stepwell.server.notifications import steps as notifications
from stepwell.server.retention import steps as retention
from stepwell.server.reviews import steps as reviews
from stepwell.server.runs import steps as runs
from stepwell.server.schedules import steps as schedules
from stepwell.server.services import QUEUE, Services
from stepwell.server.sources import steps as sources
from stepwell.step import StepQuery, StepStatus

_LOG = logging.getLogger("stepwell.server")

EVERY: Final = 60.0
"""Seconds between two looks whether a step that must exist is missing (R29)."""

OVERSLEPT: Final = timedelta(minutes=30)
"""No step that must always be there sleeps for so much longer than it should."""

ROOMS: Final[tuple[Any, ...]] = (
    discoveries,
    rediscovering,
    reviews,
    schedules,
    runs,
    jobs,
    bulk,
    retention,
    sources,
    metrics,
    notifications,
    blobs,
    logs,
    first_run,
)
"""The `steps` modules of all rooms that have background work."""


def handlers(services: Services) -> Registry:
    """A registry with every server step."""
    registry = Registry()
    for room in ROOMS:
        room.register(registry, services)
    return registry


def seed(conn: Connection, services: Services) -> None:
    """Add the steps that must always exist; at every start, and harmless when repeated."""
    for room in ROOMS:
        if hasattr(room, "seed"):
            room.seed(conn, services)
    _rouse(conn, services)


def _rouse(conn: Connection, services: Services) -> None:
    """Wake those that sleep for longer than they ever should: a clock that was ahead has told
    them when."""
    tx, now = services.db.steps(conn), services.clock.now()
    asleep = StepQuery(queue=QUEUE, status=StepStatus.READY, scheduled_from=now + OVERSLEPT)
    singles = replace(asleep, name_prefix="v1/server/", unique_key="")
    hourly = (retention.SWEEP, retention.RETAIN)
    for step in [*tx.search(singles), *tx.search(replace(asleep, name=retention.RETAIN))]:
        usual = sweeping.EVERY if step.name in hourly else timedelta(0)
        if step.schedule_time > now + usual + OVERSLEPT:
            tx.activate(step.id, None, None)


class Seeder:
    """Seeds in a thread of its own, every minute, whatever the steps themselves are doing; and
    stands in for a tick that is behind."""

    def __init__(self, services: Services, every: float = EVERY) -> None:
        self._services, self._every = services, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stepwell-seeder", daemon=True)

    def start(self) -> None:
        """Begin; the first time is one interval from now."""
        self._thread.start()

    def stop(self) -> None:
        """End, before the database is closed."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        every, clock = min(self._every, schedules.BEHIND.total_seconds()), self._services.clock
        seeded = clock.monotonic()
        while not self._over.wait(every):
            try:
                if (settled := schedules.stand_in(self._services)) > 0:
                    _LOG.warning("the tick was behind; %d schedules were settled for it", settled)
                if clock.monotonic() - seeded < self._every:
                    continue
                seeded = clock.monotonic()
                with self._services.db.write() as conn:
                    seed(conn, self._services)
            except Exception as error:  # the thread must outlive whatever a driver raises
                _LOG.warning("the server's steps were not looked after: %s", error)
