"""The room's step: remove the runs of a demo that was removed, as they end."""

from __future__ import annotations

from stepwell.outcome import Outcome, done, rerun
from stepwell.registry import Registry
from stepwell.server.first_run.loading import REMOVE, clear
from stepwell.server.services import RETRY, Services

EVERY = 1.0
"""Seconds between two looks whether its last runs have ended."""


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/remove-demo`."""

    def remove() -> Outcome:
        with services.db.write() as conn:
            over = clear(conn, services.db)
        return done() if over else rerun(after=EVERY, description="Waits for runs to end.")

    registry.add(remove, REMOVE, retry=RETRY)
