"""The sweep of the blob store: what was let go, and what was uploaded and never referred to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.events import emit
from stepwell.outcome import Outcome, rerun
from stepwell.registry import Registry
from stepwell.server.blobs import queries
from stepwell.server.blobs.service import GRACE
from stepwell.server.services import RETRY, Services
from stepwell.step import Priority

SWEEP: Final = "v1/server/sweep-blobs"
EVERY: Final = 15 * 60.0
"""Seconds between two sweeps."""
BATCH: Final = 500
MOST_BATCHES: Final = 20
"""Of one execution; then it comes back at once, so that a stop need not wait."""


def register(registry: Registry, services: Services) -> None:
    """Add the handler of this room."""

    @registry.handler(SWEEP, retry=RETRY)
    def sweep(state: dict[str, Any] | None) -> Outcome:
        return Sweep(services).run(state)


def seed(conn: Connection, services: Services) -> None:
    """There is always one sweep."""
    services.ensure(conn, SWEEP, priority=Priority.LOW)


class Sweep:
    """One execution of the sweep. Killed anywhere, the next one does what is left."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def run(self, state: dict[str, Any] | None) -> Outcome:
        """Remove, then look through the hours that are older than the grace time."""
        now = self.services.clock.now()
        with self.services.db.write() as conn:
            queries.drop_uploads(conn, now - GRACE, now)
        more = self._remove()
        hour = self._look_through(_first_hour(state, now), _hour(now - GRACE))
        return rerun({"hour": hour.isoformat()}, after=0.0 if more else EVERY)

    def _remove(self) -> bool:
        """Blobs first, rows after them: a kill in between removes what is gone already."""
        for _ in range(MOST_BATCHES):
            with self.services.db.read() as conn:
                ids = queries.dropped(conn, BATCH)
            if not ids:
                return False
            self.services.blobs.delete(ids)
            with self.services.db.write() as conn:
                queries.forget(conn, ids)
            emit("blobs.removed", count=len(ids))
        return True

    def _look_through(self, hour: datetime, end: datetime) -> datetime:
        """Each hour once: all that was uploaded in it has been entered by now, or never is."""
        while hour < end:
            for ids in _batches(self.services.blobs.of_hour(hour)):
                with self.services.db.read() as conn:
                    forgotten = queries.unknown(conn, ids)
                self.services.blobs.delete(forgotten)
                if forgotten:
                    emit("blobs.forgotten", count=len(forgotten))
            hour += timedelta(hours=1)
        return hour


def _first_hour(state: dict[str, Any] | None, now: datetime) -> datetime:
    """Where the last execution has stopped; a first one looks back over as much again."""
    return datetime.fromisoformat(state["hour"]) if state else _hour(now - 2 * GRACE)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    left = iter(ids)
    while batch := list(islice(left, BATCH)):
        yield batch
