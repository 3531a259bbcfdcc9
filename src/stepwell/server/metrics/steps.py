"""Background work of the room: fold measurements into the roll-ups, and look at targets."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from stepwell.outcome import Rerun, rerun
from stepwell.registry import Registry
from stepwell.server.metrics import folding, objectives
from stepwell.server.services import RETRY, Services

FOLD: Final = "v1/server/fold"
TARGETS: Final = "v1/server/targets"

AT_ONCE: Final = 2_000
"""So many measurements go into the roll-ups in one transaction."""
BATCHES: Final = 20
"""After so many transactions the step returns, and comes back at once."""
SOON: Final = 5.0
IDLE: Final = 15.0
"""Seconds between looks, after something was folded and after nothing was."""
LOOK_EVERY: Final = 300.0
"""Seconds between looks at targets."""


def register(registry: Registry, services: Services) -> None:
    """Add the handlers of this room."""

    @registry.handler(FOLD, retry=RETRY)
    def fold() -> Rerun:
        return folded(services)

    @registry.handler(TARGETS, retry=RETRY)
    def targets() -> Rerun:
        return rerun(after=LOOK_EVERY, description=objectives.look(services))


def seed(conn: Connection, services: Services) -> None:
    """There is always one of each."""
    services.ensure(conn, FOLD, TARGETS)


def folded(services: Services) -> Rerun:
    """Fold what there is, in bounded transactions; then say when to come back."""
    total = 0
    for _ in range(BATCHES):
        with services.db.write() as conn:
            found = folding.fold(conn, AT_ONCE)
        total += found
        if found < AT_ONCE:
            return rerun(after=SOON if total else IDLE, description=f"{total} were folded.")
    return rerun(description="More is left to fold.")
