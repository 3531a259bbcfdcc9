"""Background work of the room: a step per action, a piece of it each second."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Outcome, done, rerun
from stepwell.registry import Registry
from stepwell.server.bulk import service
from stepwell.server.services import RETRY, Services

PAUSE: Final = 1.0
"""Seconds between two pieces."""


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/bulk`."""

    @registry.handler(service.BULK, retry=RETRY)
    def go_on(state: dict[str, Any]) -> Outcome:
        more = service.go_on(services, UUID(state["id"]))
        return rerun(after=PAUSE) if more else done()
