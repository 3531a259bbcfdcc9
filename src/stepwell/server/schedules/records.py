"""A schedule, its ledger, and what people say about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from stepwell.schedules.ledger import Fate

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
Spec: TypeAlias = Annotated[
    dict[str, Any],
    Field(
        description="kind cron (expression, timezone), interval (seconds, anchor) or once (at); "
        "each with overlap, misfire, start and end where wanted",
        examples=[{"kind": "cron", "expression": "30 7 * * MON-FRI", "timezone": "Europe/Oslo"}],
    ),
]
Parameters: TypeAlias = dict[str, Any]
Because: TypeAlias = Annotated[str | None, Field(max_length=1000)]


class Origin(StrEnum):
    """Where a schedule comes from, and so what a release may do with it (R31)."""

    SOURCE = "source"
    OVERRIDDEN = "overridden"
    ADDED = "added"
    REMOVED = "removed"


class NewSchedule(BaseModel):
    """A schedule beside the one that the source declares."""

    model_config = ConfigDict(extra="forbid")

    group: str
    workflow: str
    name: Name
    spec: Spec
    parameters: Parameters = {}
    reason: Because = None


class ScheduleChange(BaseModel):
    """What is changed; what is left out stays. A schedule from source is overridden by it."""

    model_config = ConfigDict(extra="forbid")

    spec: Spec | None = None
    parameters: Parameters | None = None
    reason: Because = None


class NewPreview(BaseModel):
    """A schedule that need not exist, to see when it would be due."""

    model_config = ConfigDict(extra="forbid")

    spec: Spec
    after: AwareDatetime | None = None
    count: int = Field(default=10, ge=1, le=100)


class NewRun(BaseModel):
    """Run now: with other parameters than the schedule's, where given."""

    model_config = ConfigDict(extra="forbid")

    parameters: Parameters | None = None


class Fire(BaseModel):
    """A due instant: in UTC, and as the clock of the schedule's zone shows it."""

    at: datetime
    local: str


class Preview(BaseModel):
    """When a schedule is due, in words and instants; fewer than asked for if it ends."""

    description: str
    fires: list[Fire]


class LastFate(BaseModel):
    """What became of the latest due instant."""

    due: datetime
    fate: Fate
    why: str | None
    run_id: UUID | None


class Scheduled(BaseModel):
    """A schedule. Instants are UTC; `next_due` is the only fact about when it is due (R29).

    Of an overridden one `source` is what the current release says (null: nothing), and
    `source_differs` tells whether that is something else than what is in force.
    """

    id: UUID
    group: str
    workflow: str
    name: str
    origin: Origin
    override_reason: str | None
    changed_by: str
    spec: Spec
    description: str
    parameters: Parameters
    version: int
    active: bool
    next_due: datetime | None
    paused_at: datetime | None
    pause_reason: str | None
    created_at: datetime
    last: LastFate | None
    source: Spec | None
    source_differs: bool


class ScheduledInFull(Scheduled):
    """A schedule with its next fires."""

    fires: list[Fire]


class LedgerEntry(BaseModel):
    """One line of the ledger: an instant, or consecutive ones of the same fate (R30).

    A `changed` line has the count 0: it marks where the schedule itself was changed.
    `next_due` is the due instant that follows.
    """

    id: UUID
    first_due: datetime
    last_due: datetime
    count: int
    fate: Fate
    why: str | None
    run_id: UUID | None
    next_due: datetime | None
    schedule_version: int
    entered_at: datetime


class Audit(BaseModel):
    """Whether the ledger of a span is whole.

    `breaks` are faults of the chain. `advice` is where a computation of today
    disagrees with what was entered; zone data may have changed since, so it proves nothing.
    """

    begin: datetime | None
    end: datetime
    unbroken: bool
    entries: int
    instants: int
    by_fate: dict[Fate, int]
    next_due: datetime | None
    breaks: list[str]
    advice: list[str]
    as_of: datetime


class Change(BaseModel):
    """What a release did to one schedule, or why it did not."""

    schedule_id: UUID
    workflow: str
    name: str
    verb: str
    source: Spec | None = None
    in_force: Spec | None = None
