"""What the room speaks in: launches for single steps, and what their containers are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from stepwell.server.access.records import User


@dataclass(frozen=True, slots=True)
class JobCaller(User):
    """The caller that holds the token of one launch of one step (R35)."""

    step_id: UUID
    number: int


class StepJob(BaseModel):
    """One launch for one execution of a step, with what the launcher said of its end.

    `number` is that of the execution; `lost` counts the launches in a row that ended without
    an outcome, this one included. `exit` has the exit code and the reason in words, `output`
    the end of what it wrote.
    """

    step_id: UUID
    number: int
    name: str
    launcher: str
    image: str
    digest: str | None
    created_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    lost: int
    exit: dict[str, Any] | None
    output: str | None


class StepAssignment(BaseModel):
    """What the container is to execute: the step's row, as the wire of the store writes it."""

    number: int
    step: dict[str, Any]


class StepOutcome(BaseModel):
    """What the execution came to: a settlement, as the wire of the store writes it."""

    settlement: dict[str, Any]
