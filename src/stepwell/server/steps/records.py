"""A step as the API shows it, and what an operator may ask of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from stepwell.step import EndedAs, JoinPolicy, Retention, StepStatus


class StepBrief(BaseModel):
    """A step in a list. Instants are UTC; `execution_duration` is in seconds."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    status: StepStatus
    ended_as: EndedAs | None
    queue: str
    priority: int
    unique_key: str | None
    flow_id: UUID
    correlation_id: str | None
    search_key: str | None
    description: str | None
    created_at: datetime
    schedule_time: datetime
    execution_count: int
    failure_count: int
    lost_count: int
    execution_started_at: datetime | None
    execution_duration: float | None
    executed_by: str | None
    ended_at: datetime | None
    claimed_by: UUID | None


class StepDetail(StepBrief):
    """One step with its state, arguments and result, and a sentence on why it is where it is."""

    created_by_step_id: UUID | None
    copy_of: UUID | None
    fingerprint: str | None = None
    retention: Retention = Retention.STANDARD
    join_id: UUID | None = None
    join_policy: JoinPolicy | None = None
    waiting_for: int = 0
    limit_key: str | None = None
    limit_slots: int | None = None
    rate_key: str | None = None
    activation_no: int
    claimed_at: datetime | None
    parked: bool
    state: Any
    state_format: str
    activation_args: Any
    result: Any
    result_format: str
    explanation: str


class StepCounts(BaseModel):
    """Rows per table that match a query. Counting stops at a number that the caller gives:
    `more` names the tables that have more rows than that, `estimated` those whose number is
    the database's estimate."""

    ready: int
    done: int
    failed: int
    more: list[StepStatus] = []
    estimated: list[StepStatus] = []


class StepFailures(BaseModel):
    """Steps that failed in the same way, and the last of them."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    fingerprint: str | None
    count: int
    first_at: datetime
    last_at: datetime
    step_id: UUID
    description: str | None


class Activation(BaseModel):
    """Make a ready step due, now or at an instant, with arguments for its handler (R8)."""

    model_config = ConfigDict(extra="forbid")

    args: Any = None
    at: AwareDatetime | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Ending(BaseModel):
    """End a ready step by hand (R6); the reason is shown with it."""

    model_config = ConfigDict(extra="forbid")

    ended_as: EndedAs = EndedAs.CANCELLED
    result: Any = None
    reason: str = Field(min_length=1, max_length=1000)


class Rescheduling(BaseModel):
    """Make a ready step due at another instant; a claim on it is taken away."""

    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime
    reason: str | None = Field(default=None, max_length=1000)
