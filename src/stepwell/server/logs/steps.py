"""Background work of the room: what stayed in index rows goes to the blob store."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from stepwell.outcome import Outcome, rerun
from stepwell.registry import Registry
from stepwell.server.logs import service
from stepwell.server.services import RETRY, Services
from stepwell.step import Priority

MOVE: Final = "v1/server/move-logs"
EVERY: Final = 10 * 60.0
"""Seconds between two executions."""
QUIET: Final = timedelta(minutes=10)
"""A segment that nobody has added to for so long is moved: its run has gone on, or ended."""
MOST: Final = 200
"""Segments of one execution; then it comes back at once."""


def register(registry: Registry, services: Services) -> None:
    """Add the handler of this room."""

    @registry.handler(MOVE, retry=RETRY)
    def move() -> Outcome:
        moved = service.move(services, services.clock.now() - QUIET, MOST)
        return rerun(after=0.0 if moved == MOST else EVERY, description=f"It moved {moved}.")


def seed(conn: Connection, services: Services) -> None:
    """There is always one."""
    services.ensure(conn, MOVE, priority=Priority.LOW)
