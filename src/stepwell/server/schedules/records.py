"""A schedule, its ledger, and what people say about them."""

from __future__ import annotations

from datetime import date, datetime
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
    skipped. `skipped`: why somebody asked to skip it. `overlaps`: the run before may still
    go on then, for it begins less than 95 % of all runs take before.
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


class Audit(BaseModel):
    """Whether the ledger of a span is whole.

    `due`: the instants that the rules in force make due in the span, up to now, computed.
    `accounted`: those that entries of the ledger cover. `open`: those that are due now and
    that the tick is about to enter. `proven`: the chain is unbroken, and nothing is open.

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


class MissedBy(BaseModel):
    """What a downtime did to one schedule, and what its misfire policy made of it."""

    schedule_id: UUID
    group: str
    workflow: str
    name: str
    first_due: datetime
    last_due: datetime
    missed: int
    ran: int
    skipped: int
    misfire: str
    policy: str


class Downtime(BaseModel):
    """A time in which no server ticked; `missed` and `ran` count due instants within it."""

    id: UUID
    began_at: datetime
    ended_at: datetime
    missed: int
    ran: int
    text: str
    schedules: list[MissedBy]


CalendarName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
DayName: TypeAlias = Annotated[str, Field(max_length=200)]
DayNames: TypeAlias = Annotated[dict[date, DayName], Field(max_length=5000)]


class NewCalendar(BaseModel):
    """Days on which schedules that name it do not run: date -> what day it is.

    The dates are those of `timezone`; of the schedule's own zone without one.
    """

    model_config = ConfigDict(extra="forbid")

    name: CalendarName
    description: str = Field(default="", max_length=1000)
    timezone: str | None = Field(default=None, max_length=100)
    days: DayNames = {}
    reason: Because = None


class CalendarChange(BaseModel):
    """Days to add (or to name anew) and to take away; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    description: str | None = Field(default=None, max_length=1000)
    timezone: str | None = Field(default=None, max_length=100)
    add: DayNames = {}
    remove: list[date] = Field(default=[], max_length=5000)
    reason: Because = None


class KeptCalendar(BaseModel):
    """A calendar; `used_by` are the schedules in force that name it, where one is shown."""

    name: str
    description: str
    timezone: str | None
    days: dict[date, str]
    changed_by: str
    changed_at: datetime
    used_by: list[str] = []


class Others(StrEnum):
    """What a plan does with the group's schedules that it does not name."""

    KEEP = "keep"
    PAUSE = "pause"


class Planned(BaseModel):
    """A schedule as it shall be; the source's own is named `default`.

    What is left out stays. One that is not there yet needs its spec.
    """

    model_config = ConfigDict(extra="forbid")

    workflow: str
    name: Name = "default"
    spec: Spec | None = None
    parameters: Parameters | None = None
    late_after: Limit = None
    too_long_after: Limit = None
    paused: bool = False


class Plan(BaseModel):
    """The schedules of a group as somebody wants them, applied all together or not at all."""

    model_config = ConfigDict(extra="forbid")

    schedules: list[Planned] = Field(max_length=1000)
    others: Others = Others.KEEP
    reason: Because = None


class PlanChange(BaseModel):
    """What applying a plan did to a schedule: added, changed, paused or resumed."""

    schedule_id: UUID
    workflow: str
    name: str
    verb: str


class PlanResult(BaseModel):
    """What was done; empty if everything was so already."""

    changes: list[PlanChange]


class Change(BaseModel):
    """What a release did to one schedule, or why it did not."""

    schedule_id: UUID
    workflow: str
    name: str
    verb: str
    source: Spec | None = None
    in_force: Spec | None = None
