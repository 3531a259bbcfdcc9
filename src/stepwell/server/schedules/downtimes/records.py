"""A time in which no server ticked, and what is decided about what it left missed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Answer(StrEnum):
    """What is to become of the instants that a downtime left missed."""

    EACH = "each"
    LATEST = "latest"
    LEAVE = "leave"


class NewAnswer(BaseModel):
    """Run each missed instant once, only the latest of each schedule, or leave them missed.

    `schedules`: only of these; every schedule that missed any where it is left out.
    """

    model_config = ConfigDict(extra="forbid")

    answer: Answer
    schedules: list[UUID] | None = Field(default=None, max_length=1000)
    reason: str = Field(min_length=1, max_length=1000)


class Refused(BaseModel):
    """A schedule whose missed instants could not be run, and why."""

    schedule_id: UUID
    code: str
    what: str


class Answered(BaseModel):
    """What came of an answer: the backfills that run the instants, and what could not be."""

    backfills: list[UUID]
    refused: list[Refused]


class MissedBy(BaseModel):
    """What a downtime did to one schedule, and what its misfire policy made of it.

    `first_due` and `last_due` are of all its instants within, `latest_missed` of those missed.
    """

    schedule_id: UUID
    group: str
    workflow: str
    name: str
    first_due: datetime
    last_due: datetime
    missed: int
    ran: int
    skipped: int
    latest_missed: datetime | None
    misfire: str
    policy: str


class Downtime(BaseModel):
    """A time in which no server ticked; `missed` and `ran` count due instants within it.

    `answer` is what somebody decided about those missed; null while nobody has.
    """

    id: UUID
    began_at: datetime
    ended_at: datetime
    missed: int
    ran: int
    text: str
    answer: Answer | None
    answered_by: str | None
    answered_at: datetime | None
    answer_reason: str | None
    schedules: list[MissedBy]
