"""What the first page shows."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel

from stepwell.server.runs.records import Progress

State: TypeAlias = Literal["ok", "warning", "problem"]


class Clause(BaseModel):
    """A part of the sentence, and where it leads."""

    text: str
    link: str


class Counts(BaseModel):
    """How many there are now. Schedules rest after a clock that was ahead was put back."""

    schedules: int
    late: int
    resting: int
    paused: int
    failing: int
    causes: int
    waiting_reviews: int
    running: int
    waiting: int


class Running(BaseModel):
    """A run that goes on, with the usual time of its workflow in seconds, where known.

    `progress` is how far its operation says that it is.
    """

    id: UUID
    group: str
    workflow: str
    state: str
    started_at: datetime | None
    usual: float | None
    progress: Progress | None


class Waiting(BaseModel):
    """Why runs wait, by code, with the sentence of one of them."""

    code: str
    count: int
    sentence: str
    run_id: UUID


class NextFire(BaseModel):
    """A schedule and its next due instant."""

    schedule_id: UUID
    group: str
    workflow: str
    name: str
    due_at: datetime


class Part(BaseModel):
    """One part of the server: the scheduler, a launcher, the database."""

    name: str
    state: State
    sentence: str


class HourBar(BaseModel):
    """How runs went that were asked for in the hour of the clock from `at` on."""

    at: datetime
    succeeded: int
    failed: int


class Summary(BaseModel):
    """The first page. `sentence` are its clauses in a row."""

    sentence: str
    clauses: list[Clause]
    counts: Counts
    running: list[Running]
    waiting: list[Waiting]
    next_fires: list[NextFire]
    health: list[Part]
    hours: list[HourBar]
    as_of: datetime
