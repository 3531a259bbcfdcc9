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
from stepwell.server.steps.service import STEPS
from stepwell.step import OnConflict, Priority, new_step

SWEEP: Final = "v1/server/sweep"
RETAIN: Final = "v1/server/retain"
"""Its unique key is the kind, so that one that fails holds up no other."""


def register(registry: Registry, services: Services) -> None:
    """Add the handlers of `v1/server/sweep` and `v1/server/retain`."""
    client = StepClient(services.db.store)

    def handler() -> Rerun:
        return come_back(client.sweep(policy(services), seconds=SECONDS))

    def retain(state: Any) -> Rerun:
        return _swept(service.sweep(services, service.kind(state["kind"]), seconds=SECONDS))

    registry.add(handler, SWEEP, retry=RETRY)
    registry.add(retain, RETAIN, retry=RETRY)


def seed(conn: Connection, services: Services) -> None:
    """Add the sweeps that are missing."""
    sweeps = [new_step(SWEEP, singleton=True, **_ASIDE)]
    names = [one.name for one in KINDS if not one.aside]
    sweeps += [new_step(RETAIN, {"kind": name}, unique_key=name, **_ASIDE) for name in names]
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


def policy(services: Services) -> RetentionPolicy:
    """What is in force for the standard class, which all steps of runs have."""
    with services.db.read() as conn:
        done, failed = (
            service.in_force(conn, services.settings, service.kind(name)).days for name in STEPS
        )
    return RetentionPolicy(standard=Kept(_span(done), _span(failed)))


def _span(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)
