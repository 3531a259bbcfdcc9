"""What was late, or took too long."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class Alert(BaseModel):
    """Something that was late or took too long; over when `over_at` is set. Told once."""

    id: UUID
    schedule_id: UUID | None
    kind: str
    subject: str
    group: str
    workflow: str
    run_id: UUID | None
    since: datetime
    noticed_at: datetime
    over_at: datetime | None
    text: str
