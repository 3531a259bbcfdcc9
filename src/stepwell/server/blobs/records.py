"""A blob in the books, and a reference to one in a step's result."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel


class Kind(StrEnum):
    """What a blob is kept for; an upload that nothing refers to is swept."""

    UPLOAD = "upload"
    LOG = "log"
    REPORT = "report"
    RESULT = "result"


class Blob(BaseModel):
    """A row of the books. `size` in bytes; instants are UTC."""

    id: UUID
    kind: Kind
    run_id: UUID | None
    size: int
    created_at: datetime
