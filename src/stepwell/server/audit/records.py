"""An entry of the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; None is all. `until` itself is left out."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Entry(BaseModel):
    """One act. `action` is noun.verb, `target` names the thing; `at` is UTC.

    `before` and `after` are what was changed; `address` is where the call came from,
    null where the server acted by itself.
    """

    id: UUID
    at: datetime
    actor: str
    action: str
    target: str
    reason: str | None
    details: Any
    before: Any
    after: Any
    address: str | None
