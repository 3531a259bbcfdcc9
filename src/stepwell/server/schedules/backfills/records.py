"""Backfills: what is asked for, what it would do, and how far it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from stepwell.server.schedules.records import Because, Observed, Parameters


class Which(StrEnum):
    """Which instants of the span a backfill takes."""

    NOT_RUN = "not-run"
    NOT_SUCCEEDED = "not-succeeded"
    ALL = "all"


class Order(StrEnum):
    """In which order they run."""

    OLDEST = "oldest-first"
    NEWEST = "newest-first"


class BackfillState(StrEnum):
    """Where a backfill is."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class BackfillFate(StrEnum):
    """What became of an instant; `PLANNED` ones wait for their turn."""

    PLANNED = "planned"
    RAN = "ran"
    SKIPPED = "skipped"
    BLOCKED = "blocked"


class NewBackfill(BaseModel):
    """Run the schedule's due instants of a span that is past: `begin` included, `end` not.

    At most `concurrency` of its runs are active at once, and `per_minute` begin; null is as
    fast as that allows. Without `parameters` they are the schedule's.
    """

    model_config = ConfigDict(extra="forbid")

    begin: AwareDatetime
    end: AwareDatetime
    which: Which = Which.NOT_RUN
    order: Order = Order.OLDEST
    concurrency: int = Field(default=1, ge=1, le=100)
    per_minute: int | None = Field(default=None, ge=1, le=6000)
    parameters: Parameters | None = None
    reason: Because = None


class BackfillPreview(BaseModel):
    """What a backfill would do. `left_out` ran already; `excluded` fall on days of a calendar.

    `expected_seconds` is computed from how long runs took; null where none has run yet.
    """

    instants: int
    left_out: int
    excluded: int
    first: datetime | None
    last: datetime | None
    sample: list[datetime]
    order: Order
    concurrency: int
    per_minute: int | None
    observed: Observed
    expected_seconds: float | None
    expected_end: datetime | None
    text: str


class Backfill(BaseModel):
    """A backfill and how far it is. `counts` has a number per fate; `active` runs go on."""

    id: UUID
    schedule_id: UUID
    group: str
    workflow: str
    name: str
    state: BackfillState
    begin: datetime
    end: datetime
    which: Which
    order: Order
    concurrency: int
    per_minute: int | None
    parameters: dict[str, Any] | None
    instants: int
    counts: dict[BackfillFate, int]
    active: int
    reason: str | None
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    expected_end: datetime | None


class BackfillInstant(BaseModel):
    """One instant of a backfill: beside the ledger's chain, which it does not change."""

    backfill_id: UUID
    schedule_id: UUID
    due_at: datetime
    fate: BackfillFate
    why: str | None
    run_id: UUID | None
    entered_at: datetime


class BackfillEnd(BaseModel):
    """End a backfill: what is planned does not run. `runs`: cancel those that go on, too."""

    model_config = ConfigDict(extra="forbid")

    runs: bool = False
    reason: Because = None


class NewFire(BaseModel):
    """Run one instant that was missed, skipped or blocked."""

    model_config = ConfigDict(extra="forbid")

    due_at: AwareDatetime
    parameters: Parameters | None = None
    reason: Because = None


class Fired(BaseModel):
    """The run of that instant, and the backfill that it is entered under."""

    run_id: UUID
    backfill_id: UUID
