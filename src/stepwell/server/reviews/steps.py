"""The room's step: say that a discovery waits for a review, when it was found or a hold ends."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from stepwell.outcome import Outcome, done
from stepwell.registry import Registry
from stepwell.server.discoveries.service import ANNOUNCE
from stepwell.server.reviews import announcing
from stepwell.server.services import RETRY, Services


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/announce-review`."""

    def announce(state: Any) -> Outcome:
        with services.db.write() as conn:
            told = announcing.say(conn, services, UUID(state["discovery_id"]))
        return done(description=told)

    registry.add(announce, ANNOUNCE, retry=RETRY)
