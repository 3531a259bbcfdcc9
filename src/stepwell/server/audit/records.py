"""An entry of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class Entry(BaseModel):
    """One act. `action` is noun.verb, `target` names the thing; `at` is UTC."""

    id: UUID
    at: datetime
    actor: str
    action: str
    target: str
    reason: str | None
    details: Any
