"""The strip: what became of past instants and when the next ones come, for many schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from stepwell.server.schedules.records import ClockNote, Observed, Origin


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


class MadeUp(BaseModel):
    """An instant of a backfill: `planned`, or the state of its run (ran: kept no more)."""

    due_at: datetime
    outcome: str
    backfill_id: UUID
    run_id: UUID | None


class Lane(BaseModel):
    """One schedule. Marks and coming instants, or cells where there are more than 200.

    `made_up` are its backfills' instants, the latest of each, if they are not more than 200.
    `notes` say what the clock does within the span.
    """

    schedule_id: UUID
    group: str
    workflow: str
    name: str
    description: str
    timezone: str
    origin: Origin
    overlap: str | None
    misfire: str | None
    next_due: datetime | None
    paused_at: datetime | None
    paused_until: datetime | None
    pause_reason: str | None
    notes: list[ClockNote]
    made_up: list[MadeUp]
    observed: Observed
    past: list[Mark]
    past_cells: list[Cell]
    future: list[Coming]
    future_cells: list[Cell]
    truncated: bool


class Load(BaseModel):
    """`load_seconds` from `begin` on: how many runs go on, and how many begin.

    `runs` is an average over fifteen minutes; of a longer cell, that of its busiest ones.
    """

    begin: datetime
    runs: float
    begins: int
    expected: bool


class LimitLoad(BaseModel):
    """The load of the runs that share the slots of a pool or group; `runs` as those of `load`."""

    kind: str
    name: str
    slots: int
    runs: list[float]


class Busy(BaseModel):
    """A window to come in which more is due than there are slots for: the last of `due` runs
    waits for `wait` seconds. Without a limit: the busiest window, with `runs` at once.
    """

    begin: datetime
    end: datetime
    due: int
    runs: float
    kind: str | None
    name: str | None
    slots: int | None
    wait: float
    text: str


class Strip(BaseModel):
    """A page of schedules; `load` is of all of them, and comes with the first page only.

    `busy` are the windows to come that are too full, else the busiest, and `hot` the same in
    words; `quiet` are times of the day (UTC) at which least goes on.
    """

    begin: datetime
    end: datetime
    cells: Literal["hour", "day"]
    lanes: list[Lane]
    load: list[Load] | None
    load_seconds: int
    limits: list[LimitLoad]
    busy: list[Busy]
    hot: list[str]
    quiet: list[str]
    next: str | None
    limited_to: int
    as_of: datetime
