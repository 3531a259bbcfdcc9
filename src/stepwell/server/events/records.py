"""A change, as live views are told of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from stepwell.server.access.records import Role

TOPICS: Final[dict[str, Role]] = {
    "runs": Role.VIEWER,
    "schedules": Role.VIEWER,
    "groups": Role.VIEWER,
    "discoveries": Role.VIEWER,
    "reviews": Role.VIEWER,
    "reports": Role.VIEWER,
    "state": Role.VIEWER,
    "bulk": Role.VIEWER,
}
"""What can be listened to, and which role that needs."""

_BY_NAME: Final = frozenset({"groups", "state"})
"""Topics whose keys are names and no ids."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that has changed: `what` is its new state, or says what was done with it."""

    id: int
    at: datetime
    topic: str
    what: str
    key: str
    group: str | None

    @property
    def data(self) -> str:
        """JSON, small: who wants to know more asks for the thing."""
        key = self.key if self.topic in _BY_NAME else str(UUID(self.key))
        told = {"topic": self.topic, "what": self.what, "id": key, "at": self.at.isoformat()}
        more = {} if self.group is None else {"group": self.group}
        return json.dumps(told | more, separators=(",", ":"))
