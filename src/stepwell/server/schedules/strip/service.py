"""One strip per schedule: past fates to the left of now, future fires to the right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import InvalidInput
from stepwell.schedules.ledger import Fate, Why
from stepwell.server.database.tables import schedules
from stepwell.server.paging import Paging, paged
from stepwell.server.schedules import queries
from stepwell.server.schedules.backfills.records import BackfillFate
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.previews import service as previews
from stepwell.server.schedules.previews.coming import MOST, Fires
from stepwell.server.schedules.previews.durations import Durations
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import Observed
from stepwell.server.schedules.strip import load
from stepwell.server.schedules.strip import queries as read
from stepwell.server.schedules.strip.records import Cell, Coming, Lane, MadeUp, Mark, Strip
from stepwell.server.services import Services

LEFT: Final = timedelta(days=14)
RIGHT: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=200)
SHOWN: Final = 200
"""Above so many instants, past or future, a schedule's are counted in cells."""

Fire: TypeAlias = tuple[datetime, str | None]
"""An instant to come, and why it will be skipped, if it will."""

_DAYS: Final = timedelta(days=8)
_WORST: Final = (
    "failed",
    "blocked",
    "missed",
    "cancelled",
    "skipped",
    "paused",
    "queued",
    "cancelling",
    "waiting",
    "starting",
    "running",
    "coming",
    "ran",
    "succeeded",
)


@dataclass(frozen=True, slots=True)
class Window:
    """The span of a strip, its now, and whether cells are hours or days."""

    begin: datetime
    end: datetime
    now: datetime

    @property
    def cell(self) -> str:
        """'hour' or 'day'."""
        return "hour" if self.end - self.begin <= _DAYS else "day"


def strip(
    conn: Connection,
    services: Services,
    pages: Paging,
    begin: datetime | None,
    end: datetime | None,
    *,
    group: str | None,
) -> Strip:
    """A page of schedules in force, each with its past and its future.

    Raises
    ------
    InvalidInput : a span that ends before it begins, or is longer than 200 days.
    """
    window = _window(now_of(conn, services.clock), begin, end)
    page = paged(conn, queries.listed(group), pages, by=[schedules.c.id], make=lambda row: row)
    took = Durations(conn)
    lanes, known = _lanes(conn, page.items, window, took)
    first, span = pages.cursor is None, (window.begin, window.end, window.now)
    loads = load.loads(conn, *span, took, known) if first else load.Loads()
    return Strip(
        begin=window.begin,
        end=window.end,
        cells="hour" if window.cell == "hour" else "day",
        lanes=lanes,
        load=loads.shown if first else None,
        load_seconds=int(load.length(window.end - window.begin).total_seconds()),
        limits=loads.limits,
        busy=loads.busy,
        hot=[one.text for one in loads.busy],
        quiet=load.quiet(loads.fine),
        next=page.next,
        limited_to=pages.limit,
        as_of=window.now,
    )


def _window(now: datetime, begin: datetime | None, end: datetime | None) -> Window:
    begin, end = begin or now - LEFT, end or now + RIGHT
    if end <= begin or end - begin > LONGEST:
        raise InvalidInput(
            f"From {begin.isoformat()} to {end.isoformat()} cannot be shown.",
            why=f"A span ends after it begins, and is at most {LONGEST.days} days long.",
            fix="Correct from= and to=.",
        )
    return Window(begin.astimezone(UTC), end.astimezone(UTC), now)


def _lanes(
    conn: Connection, rows: Sequence[Row], window: Window, took: Durations
) -> tuple[list[Lane], dict[UUID, Sequence[datetime]]]:
    """The lanes, and the due instants from now on of each that has not too many."""
    ids = [row["id"] for row in rows]
    numbers = read.numbers(conn, ids, window.begin, window.end)
    few = [one for one in ids if numbers.get(one, 0) <= SHOWN]
    many = [one for one in ids if one not in set(few)]
    span = (max(window.begin, window.now), window.end)
    fires = {row["id"]: Fires.of(conn, row, *span) for row in rows}
    marks = _marks(read.lines(conn, few, window.begin, window.end))
    counts = read.counted(conn, many, window.begin, window.end, window.cell) if many else ()
    cells = _past_cells(counts)
    made = _made_up(read.made_up(conn, ids, window.begin, window.end, SHOWN))
    lanes = [
        _lane(
            row,
            window,
            fires[row["id"]],
            took.of(*queries.place(row)),
            past=marks.get(row["id"], []),
            past_cells=cells.get(row["id"], []),
            made_up=made.get(row["id"], []),
        )
        for row in rows
    ]
    if window.begin > window.now:
        return lanes, {}
    return lanes, {key: one.due for key, one in fires.items() if 0 < len(one.due) < MOST}


def _lane(row: Row, window: Window, fires: Fires, observed: Observed, **past: list[Any]) -> Lane:
    spec, few = fires.spec, len(fires.due) <= SHOWN
    coming = zip(fires.due, fires.skipped(), strict=True)
    return Lane(
        schedule_id=row["id"],
        group=row["group_name"],
        workflow=row["workflow"],
        name=row["name"],
        description="It cannot be read." if spec is None else spec.describe(),
        timezone="UTC" if spec is None else spec.zone,
        origin=row["origin"],
        overlap=None if spec is None else spec.overlap,
        misfire=None if spec is None else spec.misfire,
        next_due=row["next_due"],
        paused_at=row["paused_at"],
        paused_until=row["paused_until"],
        pause_reason=row["pause_reason"],
        notes=[] if spec is None else previews.noted(spec, window.begin, window.end),
        observed=observed,
        **past,
        future=[Coming(at=at, skipped=skipped) for at, skipped in coming] if few else [],
        future_cells=[] if few else _future_cells(coming, window.cell),
        truncated=len(fires.due) >= MOST,
    )


# -- past --------------------------------------------------------------------------


def _marks(lines: Sequence[Row]) -> dict[UUID, list[Mark]]:
    by_schedule = groupby(lines, key=lambda line: line["schedule_id"])
    return {schedule_id: [_mark(one) for one in mine] for schedule_id, mine in by_schedule}


def _mark(line: Row) -> Mark:
    begun = line["started_at"]
    return Mark(
        first_due=line["first_due"],
        last_due=line["last_due"],
        count=line["count"],
        outcome=_outcome(line),
        why=line["why"],
        late=line["why"] == Why.LATE,
        delay=None if begun is None else _seconds(line["first_due"], begun),
        duration=_seconds(begun, line["finished_at"]),
        run_id=line["run_id"],
    )


def _outcome(line: Row) -> str:
    if line["fate"] == Fate.RAN:
        return str(line["state"] or "ran")
    return "paused" if line["why"] == Why.PAUSED else str(line["fate"])


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()


def _made_up(lines: Sequence[Row]) -> dict[UUID, list[MadeUp]]:
    found: dict[UUID, dict[datetime, MadeUp]] = {}
    for one in lines:
        outcome = one["fate"] if one["fate"] == BackfillFate.PLANNED else one["state"] or "ran"
        mine = found.setdefault(one["schedule_id"], {})
        mine[one["due_at"]] = MadeUp(
            due_at=one["due_at"],
            outcome=outcome,
            backfill_id=one["backfill_id"],
            run_id=one["run_id"],
        )
    return {schedule_id: list(mine.values()) for schedule_id, mine in found.items()}


def _past_cells(counts: Sequence[Row]) -> dict[UUID, list[Cell]]:
    found: dict[UUID, list[Cell]] = {}
    for (schedule_id, key), mine in groupby(counts, key=itemgetter("schedule_id", "cell")):
        outcomes: Counter[str] = Counter()
        for one in mine:
            outcomes[_outcome(one)] += int(one["count"])
        begin = datetime.fromisoformat(key if "T" in key else f"{key}T00")
        found.setdefault(schedule_id, []).append(_cell(begin, outcomes))
    return found


def _cell(begin: datetime, outcomes: Mapping[str, int]) -> Cell:
    begin = begin.replace(tzinfo=UTC)
    worst = min(outcomes, key=lambda one: _WORST.index(one) if one in _WORST else len(_WORST))
    return Cell(begin=begin, count=sum(outcomes.values()), worst=worst, outcomes=dict(outcomes))


# -- future ------------------------------------------------------------------------


def _future_cells(coming: Iterable[Fire], cell: str) -> list[Cell]:
    hourly = cell == "hour"
    cells = []
    for key, mine in groupby(
        coming, key=lambda one: one[0].toordinal() * 24 + hourly * one[0].hour
    ):
        outcomes = Counter("coming" if skipped is None else "skipped" for _, skipped in mine)
        begin = datetime.fromordinal(key // 24) + timedelta(hours=key % 24)
        cells.append(_cell(begin, outcomes))
    return cells
