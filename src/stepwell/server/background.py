"""The list of all server steps. A room adds itself by one line in `ROOMS`.

A room's `steps.py` has `register(registry, services)`, which adds its handlers,
and, if some of its steps must always be there, `seed(conn, services)`, which adds
those that are missing (singletons: adding twice is harmless). Handlers find what
they need in the closure; they run in the queue `services.QUEUE` with the policy
`services.RETRY`.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection

from stepwell.registry import Registry
from stepwell.server.discoveries import steps as discoveries
from stepwell.server.runs import steps as runs
from stepwell.server.schedules import steps as schedules
from stepwell.server.services import Services

ROOMS: Final[tuple[Any, ...]] = (discoveries, schedules, runs)
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
