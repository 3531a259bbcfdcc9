"""What is seen over all schedules: audits, alerts, downtimes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.schedules.ledger import Fate


class Audit(BaseModel):
    """Whether the ledger of a span is whole.

    `due`: the instants that the rules in force make due in the span, up to now, computed.
    `accounted`: those that entries of the ledger cover. `open`: those that are due now and
    that the tick is about to enter. `proven`: the chain is unbroken, and nothing is open.
    `folded`: how many of both are from lines that retention has folded into one.

    `breaks` are faults of the chain. `advice` is where a computation of today disagrees with
    what was entered; zone data may have changed since, so it proves nothing.
    """

    begin: datetime | None
    end: datetime
    proven: bool
    unbroken: bool
    entries: int
    due: int
    accounted: int
    open: int
    folded: int
    by_fate: dict[Fate, int]
    backfilled: int
    next_due: datetime | None
    breaks: list[str]
    advice: list[str]
    as_of: datetime


class ScheduleAudit(Audit):
    """The audit of one schedule among all."""

    schedule_id: UUID
    group: str
    workflow: str
    name: str


class AuditOfAll(BaseModel):
    """The audit of every schedule, also of those out of force. What is unproven comes first."""

    begin: datetime | None
    end: datetime
    proven: bool
    schedules: int
    due: int
    accounted: int
    open: int
    audits: list[ScheduleAudit]
    as_of: datetime


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
