"""The sweeps: one step for the steps themselves (R23), and one for each kind of things."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from stepwell.codec import JSON
from stepwell.engine import StepClient
from stepwell.engine.sealing import seal
from stepwell.engine.sweeping import EVERY, SECONDS, SOON, come_back
from stepwell.outcome import Rerun, rerun
from stepwell.registry import Registry
from stepwell.retention import Kept, RetentionPolicy
from stepwell.server.kept import KINDS
from stepwell.server.retention import service
from stepwell.server.services import QUEUE, RETRY, Services
from stepwell.server.settings import Settings
from stepwell.step import OnConflict, Priority, new_step

SWEEP: Final = "v1/server/sweep"
RETAIN: Final = "v1/server/retain"
"""Its unique key is the kind, so that one that fails holds up no other."""


def register(registry: Registry, services: Services) -> None:
    """Add the handlers of `v1/server/sweep` and `v1/server/retain`."""
    client, kept = StepClient(services.db.store), policy(services.settings)

    def handler() -> Rerun:
        return come_back(client.sweep(kept, seconds=SECONDS))

    def retain(state: Any) -> Rerun:
        return _swept(service.sweep(services, service.kind(state["kind"]), seconds=SECONDS))

    registry.add(handler, SWEEP, retry=RETRY)
    registry.add(retain, RETAIN, retry=RETRY)


def seed(conn: Connection, services: Services) -> None:
    """Add the sweeps that are missing."""
    sweeps = [new_step(SWEEP, singleton=True, **_ASIDE)]
    sweeps += [new_step(RETAIN, {"kind": one.name}, unique_key=one.name, **_ASIDE) for one in KINDS]
    now = services.clock.now()
    services.db.steps(conn).add([seal(sweep, JSON, now) for sweep in sweeps])


_ASIDE: Final[dict[str, Any]] = {
    "queue": QUEUE,
    "priority": Priority.LOW,
    "on_conflict": OnConflict.IGNORE,
}


def _swept(removed: service.Removed) -> Rerun:
    told = f"The last sweep removed {removed.count}."
    return rerun(after=SOON if removed.more else EVERY, description=told)


def policy(settings: Settings) -> RetentionPolicy:
    """What the settings say of the standard class, which all steps of runs have."""
    done, failed = settings.keep_done_days, settings.keep_failed_days
    return RetentionPolicy(standard=Kept(timedelta(days=done), timedelta(days=failed)))
