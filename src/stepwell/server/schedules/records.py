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
        "each with overlap, misfire, start, end, jitter and exclude where wanted",
        examples=[{"kind": "cron", "expression": "30 7 * * MON-FRI", "timezone": "Europe/Oslo"}],
    ),
]
Parameters: TypeAlias = dict[str, Any]
Because: TypeAlias = Annotated[str | None, Field(max_length=1000)]
Limit: TypeAlias = Annotated[
    int | None,
    Field(ge=0, le=100 * 366 * 24 * 3600, description="Seconds; null: the server's own."),
]


class Origin(StrEnum):
    """Where a schedule comes from, and so what a release may do with it (R31)."""

    SOURCE = "source"
    OVERRIDDEN = "overridden"
    ADDED = "added"
    REMOVED = "removed"


class NewSchedule(BaseModel):
    """A schedule beside the one that the source declares.

    `late_after`: it is told of as late when its tick is later than this; `too_long_after`: its
    runs are told of when they take longer. Both in seconds.
    """

    model_config = ConfigDict(extra="forbid")

    group: str
    workflow: str
    name: Name
    spec: Spec
    parameters: Parameters = {}
    late_after: Limit = None
    too_long_after: Limit = None
    reason: Because = None


class ScheduleChange(BaseModel):
    """What is changed; what is left out stays. A schedule from source is overridden by it.

    `late_after` and `too_long_after` override nothing: the source has no word for them.
    """

    model_config = ConfigDict(extra="forbid")

    spec: Spec | None = None
    parameters: Parameters | None = None
    late_after: Limit = None
    too_long_after: Limit = None
    reason: Because = None


class NewPreview(BaseModel):
    """A schedule that need not exist, to see when it would be due.

    With `group` and `workflow` it says what overlaps, by how long runs took; with the id of
    the schedule that is to be changed, or the name that it is to get, its jitter is exact.
    """

    model_config = ConfigDict(extra="forbid")

    spec: Spec
    after: AwareDatetime | None = None
    count: int = Field(default=10, ge=1, le=100)
    schedule_id: UUID | None = None
    group: str | None = None
    workflow: str | None = None
    name: Name | None = None


class NewPause(BaseModel):
    """Why, and until when; without `until` somebody has to resume it."""

    model_config = ConfigDict(extra="forbid")

    reason: Because = None
    until: AwareDatetime | None = None


class NewSkip(BaseModel):
    """Skip the next `count` due instants."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=1, ge=1, le=100)
    reason: Because = None


class NewRun(BaseModel):
    """Run now: with other parameters than the schedule's, where given."""

    model_config = ConfigDict(extra="forbid")

    parameters: Parameters | None = None


class Fire(BaseModel):
    """A due instant: in UTC, and as the clock of the schedule's zone shows it.

    `jitter`: by how many seconds it was moved. `excluded`: the day of a calendar that makes it
    skipped. `skipped`: why somebody asked to skip it, or that it is paused then. `overlaps`: the
    run before may still go on then, for it begins less than 95 % of all runs take before.
    """

    at: datetime
    local: str
    jitter: int = 0
    excluded: str | None = None
    skipped: str | None = None
    overlaps: bool = False


class ClockNote(BaseModel):
    """What happens at a change of the clock, within the next year."""

    at: datetime
    text: str


class Observed(BaseModel):
    """How long the workflow's latest successful runs took, in seconds; `runs` of them."""

    runs: int
    p50: float | None
    p95: float | None


class Preview(BaseModel):
    """When a schedule is due, in words and instants; fewer than asked for if it ends."""

    description: str
    fires: list[Fire]
    notes: list[ClockNote]
    observed: Observed | None
    overlaps: int
    says: list[str]


class Skip(BaseModel):
    """A due instant that will be entered as skipped, because somebody asked for it."""

    due: datetime
    why: str
    by: str


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
    paused_until: datetime | None
    skips: list[Skip]
    late_after: int | None
    too_long_after: int | None
    created_at: datetime
    last: LastFate | None
    source: Spec | None
    source_differs: bool


class ScheduledInFull(Scheduled):
    """A schedule with its next fires, and what the next changes of the clock do to it."""

    fires: list[Fire]
    notes: list[ClockNote]


class LedgerEntry(BaseModel):
    """One line of the ledger: an instant, or consecutive ones of the same fate (R30).

    A `changed` line has the count 0: it marks where the schedule itself was changed.
    `next_due` is the due instant that follows. `backfilled`: how many of its instants a backfill
    made up for, the latest by the run `backfill_run_id`.
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
    backfilled: int = 0
    backfill_run_id: UUID | None = None


class Change(BaseModel):
    """What a release did to one schedule, or why it did not."""

    schedule_id: UUID
    workflow: str
    name: str
    verb: str
    source: Spec | None = None
    in_force: Spec | None = None
    was: dict[str, Any] | None = None
    now: dict[str, Any] | None = None
