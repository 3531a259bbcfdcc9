"""The sweep: one singleton step that removes what was kept for long enough (R23)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from stepwell.codec import JSON
from stepwell.engine import StepClient
from stepwell.engine.sealing import seal
from stepwell.engine.sweeping import SECONDS, come_back
from stepwell.outcome import Rerun
from stepwell.registry import Registry
from stepwell.retention import Kept, RetentionPolicy
from stepwell.server.services import QUEUE, RETRY, Services
from stepwell.server.settings import Settings
from stepwell.step import OnConflict, Priority, new_step

SWEEP: Final = "v1/server/sweep"


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/sweep`."""
    client, kept = StepClient(services.db.store), policy(services.settings)

    def handler() -> Rerun:
        return come_back(client.sweep(kept, seconds=SECONDS))

    registry.add(handler, SWEEP, retry=RETRY)


def seed(conn: Connection, services: Services) -> None:
    """Add the sweep, unless there is one."""
    sweep = new_step(
        SWEEP,
        queue=QUEUE,
        priority=Priority.LOW,
        singleton=True,
        on_conflict=OnConflict.IGNORE,
    )
    services.db.steps(conn).add([seal(sweep, JSON, services.clock.now())])


def policy(settings: Settings) -> RetentionPolicy:
    """What the settings say of the standard class, which all steps of runs have."""
    done, failed = settings.keep_done_days, settings.keep_failed_days
    return RetentionPolicy(standard=Kept(timedelta(days=done), timedelta(days=failed)))
