"""An entry of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


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
