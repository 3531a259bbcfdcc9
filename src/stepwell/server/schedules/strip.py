"""One strip per schedule: past fates to the left of now, future fires to the right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import InvalidInput, StepwellError
from stepwell.schedules import Schedule
from stepwell.schedules.calendars import Exclusion, exclusion, never
from stepwell.schedules.ledger import Fate, Why
from stepwell.server.database.tables import schedules
from stepwell.server.paging import Paging, paged
from stepwell.server.schedules import calendars, changing, load, previews, queries, skips
from stepwell.server.schedules import strip_queries as read
from stepwell.server.schedules.backfill_records import BackfillFate
from stepwell.server.schedules.durations import Durations
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.strip_records import Cell, Coming, Lane, MadeUp, Mark, Strip
from stepwell.server.services import Services

LEFT: Final = timedelta(days=14)
RIGHT: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=200)
SHOWN: Final = 200
"""Above so many instants, past or future, a schedule's are counted in cells."""

MOST: Final = 20_000
"""So many future instants of a schedule are computed."""

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
    window = _window(changing.now_of(conn, services.clock), begin, end)
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
) -> tuple[list[Lane], dict[UUID, list[datetime]]]:
    """The lanes, and the due instants from now on of each that is shown whole."""
    ids = [row["id"] for row in rows]
    numbers = read.numbers(conn, ids, window.begin, window.end)
    few = [one for one in ids if numbers.get(one, 0) <= SHOWN]
    many = [one for one in ids if one not in set(few)]
    marks = _marks(read.lines(conn, few, window.begin, window.end))
    counts = read.counted(conn, many, window.begin, window.end, window.cell) if many else ()
    cells = _past_cells(counts)
    made = _made_up(read.made_up(conn, ids, window.begin, window.end, SHOWN))
    lanes = [
        _lane(
            conn,
            row,
            window,
            took,
            past=marks.get(row["id"], []),
            past_cells=cells.get(row["id"], []),
            made_up=made.get(row["id"], []),
        )
        for row in rows
    ]
    whole = (one for one in lanes if one.future and window.begin <= window.now)
    return lanes, {one.schedule_id: [each.at for each in one.future] for one in whole}


def _lane(conn: Connection, row: Row, window: Window, took: Durations, **past: list[Any]) -> Lane:
    spec, excluded = _read(conn, row)
    coming = _coming(row, spec, excluded, window)
    few = len(coming) <= SHOWN
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
        observed=took.of(row["group_name"], row["workflow"]),
        **past,
        future=[Coming(at=at, skipped=skipped) for at, skipped in coming] if few else [],
        future_cells=[] if few else _future_cells(coming, window.cell),
        truncated=len(coming) >= MOST,
    )


def _read(conn: Connection, row: Row) -> tuple[Schedule | None, Exclusion]:
    try:
        spec = queries.spec_of(row)
        return spec, exclusion(spec, calendars.known(conn, spec.exclude))
    except StepwellError:
        return None, never


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
        found.setdefault(schedule_id, []).append(_cell(key, outcomes))
    return found


def _cell(key: str, outcomes: Mapping[str, int]) -> Cell:
    begin = datetime.fromisoformat(key if "T" in key else f"{key}T00").replace(tzinfo=UTC)
    worst = min(outcomes, key=lambda one: _WORST.index(one) if one in _WORST else len(_WORST))
    return Cell(begin=begin, count=sum(outcomes.values()), worst=worst, outcomes=dict(outcomes))


# -- future ------------------------------------------------------------------------


def _coming(row: Row, spec: Schedule | None, excluded: Exclusion, window: Window) -> list[Fire]:
    if spec is None or row["next_due"] is None:
        return []
    asked = skips.of(row)
    due = spec.between(max(row["next_due"], window.begin, window.now), window.end)
    return [(at, _skipped(row, at, asked, excluded)) for at in islice(due, MOST)]


def _skipped(
    row: Row, at: datetime, asked: Mapping[datetime, str], excluded: Exclusion
) -> str | None:
    until = row["paused_until"]
    if row["paused_at"] is not None and (until is None or at < until):
        return Why.PAUSED.value
    if at in asked:
        return asked[at]
    day = excluded(at)
    return None if day is None else f"{Why.CALENDAR.value}: {day}".removesuffix(": ")


def _future_cells(coming: Iterable[Fire], cell: str) -> list[Cell]:
    length = 13 if cell == "hour" else 10
    cells = []
    for key, mine in groupby(coming, key=lambda one: one[0].isoformat()[:length]):
        outcomes = Counter("coming" if skipped is None else "skipped" for _, skipped in mine)
        cells.append(_cell(key, outcomes))
    return cells
