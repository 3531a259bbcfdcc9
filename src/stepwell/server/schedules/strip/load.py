"""How many runs go on at once: as it was until now, and as it is expected from now on."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import StepwellError
from stepwell.server.runs import service as runs
from stepwell.server.schedules import queries
from stepwell.server.schedules.previews.durations import Durations
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.strip import busy
from stepwell.server.schedules.strip import queries as strip_queries
from stepwell.server.schedules.strip.busy import Going, Key
from stepwell.server.schedules.strip.records import Busy, LimitLoad, Load

CELL: Final = timedelta(minutes=15)
MOST: Final = 200_000
"""So many future fires of all schedules together are looked at."""

RUNS: Final = 100_000
"""So many past runs are looked at, the newest."""

_LENGTHS: Final = (
    (timedelta(days=8), CELL),
    (timedelta(days=32), timedelta(hours=1)),
    (timedelta(days=400), timedelta(hours=6)),
)
"""Of a span up to so long a cell that is shown is so long: there are never 900."""

_BEFORE: Final = timedelta(days=1)
"""What began so long before a span may go on in it."""

_SECONDS: Final = CELL.total_seconds()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1) // CELL
_QUIET: Final = 3


class _Sum:
    """Seconds of runs and begins per cell."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = defaultdict(float)
        self.begins: dict[int, int] = defaultdict(int)

    def add(self, begins: Iterable[datetime], seconds: float) -> None:
        """Runs that begin then, each of so many seconds."""
        for begin in begins:
            at, left = begin.timestamp(), seconds
            cell = int(at // _SECONDS)
            self.begins[cell] += 1
            room = (cell + 1) * _SECONDS - at
            while left > 0:
                self.seconds[cell] += min(left, room)
                left, cell, room = left - room, cell + 1, _SECONDS

    def add_short(self, cell: int, runs: int, seconds: float) -> None:
        """Runs that began and ended in one cell."""
        self.begins[cell] += runs
        self.seconds[cell] += seconds

    def runs(self, cells: range) -> float:
        """The most that goes on in one of the cells."""
        most = max((self.seconds.get(cell, 0.0) for cell in cells), default=0.0)
        return round(most / _SECONDS, 3)


class _Expected(NamedTuple):
    """What a schedule is going to begin."""

    due: Sequence[datetime]
    seconds: float
    group: str
    pool: str | None

    def going(self) -> Iterator[Going]:
        return (Going(at, self.seconds, self.group, self.pool) for at in self.due)


@dataclass(frozen=True, slots=True)
class Loads:
    """The load of a span: in cells to be shown and in quarters of an hour, by limit, and where
    it is too much.
    """

    shown: list[Load] = field(default_factory=list)
    fine: list[Load] = field(default_factory=list)
    limits: list[LimitLoad] = field(default_factory=list)
    busy: list[Busy] = field(default_factory=list)


def loads(
    conn: Connection,
    begin: datetime,
    end: datetime,
    now: datetime,
    took: Durations,
    known: Mapping[UUID, Sequence[datetime]],
) -> Loads:
    """The load of a span; from now on as expected from schedules and p50.

    Parameters
    ----------
    known : schedule -> all its due instants from now to the end, where they are computed already.
    """
    sizes = busy.sizes(runs.limits_in_use(conn).items)
    past, short = _past(conn, begin, now, sizes) if begin < now else ([], [])
    sums: dict[Key | None, _Sum] = {key: _Sum() for key in (None, *sizes)}
    coming: list[Going] = []
    for one in past:
        for wanted in _wanted(sums, one.group, one.pool):
            sums[wanted].add((one.begin,), one.seconds)
    for each in _expected(conn, now, end, took, known) if end > now else ():
        limits = _wanted(sums, each.group, each.pool)
        for wanted in limits:
            sums[wanted].add(each.due, each.seconds)
        coming += each.going() if len(limits) > 1 else ()
    for row in short:
        for wanted in _wanted(sums, row.group_name, row.pool):
            sums[wanted].add_short(int(row.cell), row.runs, row.seconds)
    total, cells = sums.pop(None), _cells(begin, end, CELL)
    fine = [_load(total, cell, now) for cell in cells]
    shown = _cells(begin, end, length(end - begin))
    return Loads(
        shown=[_load(total, cell, now) for cell in shown],
        fine=fine,
        limits=[
            LimitLoad(
                kind=key[0], name=key[1], slots=slots, runs=[sums[key].runs(one) for one in shown]
            )
            for key, slots in sizes.items()
            if sums[key].begins
        ],
        busy=busy.windows(coming, sizes, fine),
    )


def _wanted(sums: Mapping[Key | None, _Sum], group: str, pool: str | None) -> list[Key | None]:
    """What a run is counted for: all runs, and those that share slots with it."""
    return [None, *(key for key in busy.keys(group, pool) if key in sums)]


def length(span: timedelta) -> timedelta:
    """How long the cells of a span are."""
    return next((cell for most, cell in _LENGTHS if span <= most), _LENGTHS[-1][1])


def _past(
    conn: Connection, begin: datetime, now: datetime, sizes: Iterable[Key]
) -> tuple[list[Going], list[Any]]:
    """Runs that went on for longer than a cell, and the others added up by the cell."""
    span = (begin - _BEFORE, now, int(CELL.total_seconds()), RUNS)
    apart: dict[str, list[str]] = defaultdict(list)
    for kind, name in sizes:
        apart[kind].append(name)
    long: list[Going] = []
    short: list[Any] = []
    for row in strip_queries.went_on(conn, *span, apart=apart):
        if row.alone:
            took = ((row.finished_at or now) - row.started_at).total_seconds()
            long.append(Going(row.started_at, took, row.group_name, row.pool))
        else:
            short.append(row)
    return long, short


def _cells(begin: datetime, end: datetime, length: timedelta) -> list[range]:
    """The cells of a span, each as its quarters of an hour."""
    quarters = length // CELL
    first, last = _cell(begin) // quarters, _cell(end) // quarters
    return [range(one * quarters, (one + 1) * quarters) for one in range(first, last + 1)]


def _load(total: _Sum, cell: range, now: datetime) -> Load:
    return Load(
        begin=_at(cell.start),
        runs=total.runs(cell),
        begins=sum(total.begins[one] for one in cell),
        expected=_at(cell.start) >= now,
    )


def _expected(
    conn: Connection,
    now: datetime,
    end: datetime,
    took: Durations,
    known: Mapping[UUID, Sequence[datetime]],
) -> Iterator[_Expected]:
    rows, left = conn.execute(queries.listed(active=True)).mappings().all(), MOST
    entries = queries.entries_in_force(conn, list({queries.place(row) for row in rows}))
    for row in rows:
        place = queries.place(row)
        due = list(islice(_fires(row, now, end, known.get(row["id"])), left))
        left -= len(due)
        pool = entries.get(place, {}).get("pool")
        yield _Expected(due, took.of(*place).p50 or 0.0, row["group_name"], pool)


def _fires(
    row: Row, now: datetime, end: datetime, known: Sequence[datetime] | None
) -> Iterable[datetime]:
    due, until = row["next_due"], row["paused_until"]
    if due is None or (row["paused_at"] is not None and until is None):
        return ()
    begin = max(due, now, until or now)
    if known is not None:
        return known[bisect_left(known, begin) :]
    try:
        return queries.spec_of(row).between(begin, end)
    except StepwellError:
        return ()


def quiet(loads: Sequence[Load]) -> list[str]:
    """Times of the day at which least goes on in the days to come: '04:15'."""
    coming = [one for one in loads if one.expected]
    if len(coming) < _DAY:
        return []
    sums: dict[int, float] = defaultdict(float)
    for one in coming:
        sums[_cell(one.begin) % _DAY] += one.runs + one.begins
    best = sorted(sums, key=lambda cell: (sums[cell], cell))[:_QUIET]
    return [f"{_at(cell):%H:%M}" for cell in best]


def _cell(at: datetime) -> int:
    return (at - _EPOCH) // CELL


def _at(cell: int) -> datetime:
    return _EPOCH + cell * CELL
