"""The strip: what became of past instants and when the next ones come, for many schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from stepwell.server.schedules.records import Observed


class Mark(BaseModel):
    """A line of the ledger: `count` instants from `first_due` to `last_due` of one outcome.

    `outcome` is the run's state where there is a run (ran: the run is kept no more), else
    missed, skipped, paused, queued or blocked. `delay` and `duration` in seconds.
    """

    first_due: datetime
    last_due: datetime
    count: int
    outcome: str
    why: str | None
    late: bool
    delay: float | None
    duration: float | None
    run_id: UUID | None


class Coming(BaseModel):
    """An instant that is not due yet; `skipped` says why it will not run."""

    at: datetime
    skipped: str | None


class Cell(BaseModel):
    """All instants of an hour or a day: how many, per outcome, and the worst of them."""

    begin: datetime
    count: int
    worst: str
    outcomes: dict[str, int]


class Lane(BaseModel):
    """One schedule. Marks and coming instants, or cells where there are more than 200."""

    schedule_id: UUID
    group: str
    workflow: str
    name: str
    description: str
    timezone: str
    paused_at: datetime | None
    paused_until: datetime | None
    observed: Observed
    past: list[Mark]
    past_cells: list[Cell]
    future: list[Coming]
    future_cells: list[Cell]
    truncated: bool


class Load(BaseModel):
    """Fifteen minutes from `begin`: how many runs go on on average, and how many begin."""

    begin: datetime
    runs: float
    begins: int
    expected: bool


class Strip(BaseModel):
    """A page of schedules; `load` is of all of them, and comes with the first page only.

    `hot` are the busiest windows to come, `quiet` times of the day (UTC) at which least goes on.
    """

    begin: datetime
    end: datetime
    cells: Literal["hour", "day"]
    lanes: list[Lane]
    load: list[Load] | None
    hot: list[str]
    quiet: list[str]
    next: str | None
    limited_to: int
    as_of: datetime
