"""What is counted, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.step import EndedAs


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One operation or, with an empty operation, one run that has ended.

    Parameters
    ----------
    duration : seconds; None where it says nothing about how long such a thing takes.
    release_id : of the run; None where it is not known.
    retries : how often it was begun again before.
    cause, run_id, sentence : of a run that has failed: what groups it with others, and
        what is said of it.
    """

    at: datetime
    group: str
    workflow: str
    operation: str
    ended_as: EndedAs
    duration: float | None
    release_id: UUID | None = None
    retries: int = 0
    cause: str | None = None
    run_id: UUID | None = None
    sentence: str | None = None


class WaitReason(StrEnum):
    """What a run waits for.

    *late* is from its due instant until it was made, *limit* for a slot, *approval* for
    somebody's word, *asleep* until an operation is due, *queued* for a supervisor,
    *launching* until the launcher has taken it, *starting* until its code runs, *retry*
    between two attempts.
    """

    LATE = "late"
    LIMIT = "limit"
    APPROVAL = "approval"
    ASLEEP = "asleep"
    QUEUED = "queued"
    LAUNCHING = "launching"
    STARTING = "starting"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """For how many seconds a run waited for one reason."""

    at: datetime
    group: str
    workflow: str
    reason: str
    seconds: float


class Durations(BaseModel):
    """Seconds. Quantiles are within 2.5 % of the true value, and within 5 % where all took nearly
    the same; None where nothing has ended."""

    average: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class Figures(BaseModel):
    """Counts and rates of what ended. Rates are shares of `judged` = succeeded + failed.

    `other` was skipped or cancelled, and judges nobody. A rate is None where
    nothing was judged. `retried` counts what was begun again: executions of an
    operation; attempts and re-executions of a run.
    """

    succeeded: int
    failed: int
    other: int
    retried: int = 0
    judged: int
    success_rate: float | None
    error_rate: float | None
    duration: Durations


class Total(Figures):
    """A workflow (operation is None: its runs) or one of its operations, over the whole range."""

    group: str
    workflow: str
    operation: str | None


class Hour(Total):
    """The same for one hour, by its first instant (UTC)."""

    hour: datetime


class Metrics(BaseModel):
    """Whole hours from `from_` (included) to `to` (excluded), UTC."""

    from_: datetime
    to: datetime
    as_of: datetime
    totals: list[Total]
    hours: list[Hour]


class Step(StrEnum):
    """How long a point of a series is. Days are those of UTC."""

    HOUR = "hour"
    DAY = "day"


class Waiting(BaseModel):
    """What runs waited for one reason: `seconds` in total, and its share of all waiting."""

    reason: str
    count: int
    seconds: float
    share: float
    duration: Durations


class Point(Figures):
    """One hour or day, by its first instant (UTC)."""

    at: datetime


class Period(Figures):
    """A whole range, with its throughput and, for runs, what they waited for."""

    from_: datetime
    to: datetime
    per_hour: float
    waits: list[Waiting]


class Change(BaseModel):
    """This range against the one before it.

    Rates: the difference, as a share. Everything else: the new value as a multiple of
    the old one. None where one of both is not known.
    """

    success_rate: float | None
    error_rate: float | None
    per_hour: float | None
    average: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class ReleaseMark(BaseModel):
    """A release that became current within the range."""

    group: str
    number: int
    at: datetime


class Measured(BaseModel):
    """A series with its total; `previous` and `change` where a comparison was asked for.

    Points in which nothing ended are left out.
    """

    from_: datetime
    to: datetime
    step: Step
    as_of: datetime
    group: str | None
    workflow: str | None
    operation: str | None
    points: list[Point]
    total: Period
    previous: Period | None
    change: Change | None
    releases: list[ReleaseMark]


class By(StrEnum):
    """What a ranking has a row for."""

    GROUP = "group"
    WORKFLOW = "workflow"
    OPERATION = "operation"


class Order(StrEnum):
    """By what a ranking is sorted, the largest first."""

    AVERAGE = "average"
    TIME = "time"
    FAILED = "failed"
    ERROR_RATE = "error-rate"
    COUNT = "count"


class Ranked(Figures):
    """A row of a ranking, and how it changed against the range before."""

    group: str
    workflow: str | None
    operation: str | None
    change: Change


class Ranking(BaseModel):
    """The first so many groups, workflows or operations of a range."""

    from_: datetime
    to: datetime
    as_of: datetime
    by: By
    order: Order
    rows: list[Ranked]


class Cause(BaseModel):
    """Failed runs of one cause. `release` is the group's current one when it was first seen
    in the range; `days` counts per day that has any."""

    cause: str
    count: int
    groups: list[str]
    workflows: list[str]
    first_at: datetime
    last_at: datetime
    run_id: UUID | None
    sentence: str
    release: int | None
    days: dict[str, int]


class Causes(BaseModel):
    """The most frequent causes of a range, of whole days (UTC)."""

    from_: datetime
    to: datetime
    as_of: datetime
    causes: list[Cause]


class TargetSpec(BaseModel):
    """What a workflow is held to, over the last `window` days.

    `success` is a share of the runs that were judged; `p95` is in seconds.
    """

    model_config = ConfigDict(extra="forbid")

    success: float | None = Field(default=None, gt=0, lt=1)
    p95: float | None = Field(default=None, gt=0)
    window: int = Field(default=30, ge=1, le=366)


class NewTarget(TargetSpec):
    """Hold a workflow to this, in place of what its source says."""

    reason: str | None = Field(default=None, max_length=1000)


class Objective(BaseModel):
    """One target of a workflow, and how it is met.

    Parameters
    ----------
    target, actual : a share for `success`, seconds for `p95`; actual is None where nothing
        has ended.
    allowed, used : how many runs may miss it within the window, and how many did.
    budget_left : 1 is all of it, 0 none, below 0 it is missed; None where too little has
        ended to judge.
    """

    objective: str
    target: float
    actual: float | None
    judged: int
    allowed: float
    used: int
    budget_left: float | None
    met: bool | None
    missed_since: datetime | None


class WorkflowTargets(BaseModel):
    """The targets of one workflow; `origin` is 'source' or 'operator'."""

    group: str
    workflow: str
    origin: str
    spec: TargetSpec
    set_by: str | None
    set_at: datetime | None
    reason: str | None
    objectives: list[Objective]


class Regression(BaseModel):
    """What became worse with a release, more than chance explains.

    `measure` is 'error_rate' or 'p95'; `before` and `after` are of the runs, or the
    executions of the operation, of the release before and of this one. `chance` is how
    likely such a difference is where nothing has changed.
    """

    group: str
    workflow: str
    operation: str | None
    release: int
    released_at: datetime
    measure: str
    before: float
    after: float
    judged_before: int
    judged_after: int
    chance: float


class Regressions(BaseModel):
    """What became worse, the least likely to be chance first."""

    as_of: datetime
    regressions: list[Regression]
    compared: int


JsonObject = dict[str, Any]
