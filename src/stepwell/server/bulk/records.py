"""An action on many runs, as it is asked for, previewed and followed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepwell.server.runs.records import Run
from stepwell.server.search.records import LONGEST

MOST_IDS = 1000


class BulkState(StrEnum):
    """Where it is; the last two are ends."""

    RUNNING = "running"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class NewBulk(BaseModel):
    """Do something with all runs that a query finds, or with these.

    `rate` is how many a second at most. `expected` is the count that the preview has shown:
    if it is another one meanwhile, nothing is done.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "action": "repeat",
                    "query": "cause:5f0c6e12ab34cd56 state:failed",
                    "reason": "The database is back.",
                }
            ]
        },
    )

    action: str = Field(pattern=r"^[a-z-]{1,20}$")
    query: str | None = Field(default=None, max_length=LONGEST)
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_IDS)] | None = None
    arguments: dict[str, Any] = {}
    reason: str = Field(min_length=1, max_length=1000)
    rate: int = Field(default=20, ge=1, le=200)
    expected: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_of_them(self) -> NewBulk:
        if (self.query is None) == (self.ids is None):
            raise ValueError("give a query or ids, one of them")
        return self


class BulkPreview(BaseModel):
    """What would be done: the exact count, the newest five, the command that does the same."""

    action: str
    total: int
    sample: list[Run]
    command: str
    as_of: datetime


class BulkFailure(BaseModel):
    """A run with which it could not be done, and why."""

    run_id: UUID
    code: str
    what: str


class Bulk(BaseModel):
    """An action on many runs. `failures` are the first hundred of `failed`."""

    id: UUID
    action: str
    arguments: dict[str, Any]
    query: str | None
    ids: list[UUID] | None
    state: BulkState
    total: int
    done: int
    failed: int
    failures: list[BulkFailure]
    rate: int
    reason: str
    created_by: str
    created_at: datetime
    finished_at: datetime | None
