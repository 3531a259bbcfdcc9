"""How many runs go on at once: as it was until now, and as it is expected from now on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import StepwellError
from stepwell.server.schedules import queries, strip_queries
from stepwell.server.schedules.durations import Durations
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.strip_records import Load

CELL: Final = timedelta(minutes=15)
MOST: Final = 200_000
"""So many future fires of all schedules together are looked at."""

RUNS: Final = 100_000
"""So many past runs are looked at, the newest."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1) // CELL
_BUSY: Final = 0.8
_SHOWN: Final = 3


class _Sum:
    """Seconds of runs and begins per cell."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = defaultdict(float)
        self.begins: Counter[int] = Counter()

    def add(self, begin: datetime, seconds: float) -> None:
        """A run that begins then and takes so long."""
        cell, left = _cell(begin), seconds
        self.begins[cell] += 1
        room = (_at(cell + 1) - begin).total_seconds()
        while left > 0:
            self.seconds[cell] += min(left, room)
            left, cell, room = left - room, cell + 1, CELL.total_seconds()


def loads(
    conn: Connection,
    begin: datetime,
    end: datetime,
    now: datetime,
    took: Durations,
    known: Mapping[UUID, Sequence[datetime]],
) -> list[Load]:
    """Every fifteen minutes of the span; from now on as expected from schedules and p50.

    Parameters
    ----------
    known : schedule -> all its due instants from now to the end, where they are computed already.
    """
    past, future = _Sum(), _Sum()
    if begin < now:
        for started, finished in strip_queries.spans(conn, begin - timedelta(days=1), now, RUNS):
            past.add(started, ((finished or now) - started).total_seconds())
    if end > now:
        for at, seconds in islice(_expected(conn, now, end, took, known), MOST):
            future.add(at, seconds)
    return [_load(cell, past, future, now) for cell in range(_cell(begin), _cell(end) + 1)]


def _load(cell: int, past: _Sum, future: _Sum, now: datetime) -> Load:
    seconds = past.seconds.get(cell, 0.0) + future.seconds.get(cell, 0.0)
    return Load(
        begin=_at(cell),
        runs=round(seconds / CELL.total_seconds(), 3),
        begins=past.begins[cell] + future.begins[cell],
        expected=_at(cell) >= now,
    )


def _expected(
    conn: Connection,
    now: datetime,
    end: datetime,
    took: Durations,
    known: Mapping[UUID, Sequence[datetime]],
) -> Iterator[tuple[datetime, float]]:
    for row in conn.execute(queries.listed(active=True)).mappings().all():
        seconds = took.of(row["group_name"], row["workflow"]).p50 or 0.0
        for at in _fires(row, now, end, known.get(row["id"])):
            yield at, seconds


def _fires(
    row: Row, now: datetime, end: datetime, known: Sequence[datetime] | None
) -> Iterator[datetime]:
    due, until = row["next_due"], row["paused_until"]
    if due is None or (row["paused_at"] is not None and until is None):
        return
    begin = max(due, now, until or now)
    try:
        fires = queries.spec_of(row).between(begin, end) if known is None else known
        yield from (at for at in fires if at >= begin)
    except StepwellError:
        return


def hot(loads: Sequence[Load]) -> list[str]:
    """The busiest windows to come, in words."""
    coming = [one for one in loads if one.expected]
    peak = max((one.runs for one in coming), default=0.0)
    if peak < 1:
        return []
    busy = [one for one in coming if one.runs >= _BUSY * peak]
    windows: list[list[Load]] = []
    for one in busy:
        if windows and windows[-1][-1].begin + CELL == one.begin:
            windows[-1].append(one)
        else:
            windows.append([one])
    return [_said(window) for window in windows[:_SHOWN]]


def _said(window: Sequence[Load]) -> str:
    first, last = window[0].begin, window[-1].begin + CELL
    most = max(one.runs for one in window)
    return f"{first:%Y-%m-%d %H:%M} to {last:%H:%M} UTC: about {most:.0f} runs at once."


def quiet(loads: Sequence[Load]) -> list[str]:
    """Times of the day at which least goes on in the days to come: '04:15'."""
    coming = [one for one in loads if one.expected]
    if len(coming) < _DAY:
        return []
    sums: dict[int, float] = defaultdict(float)
    for one in coming:
        sums[_cell(one.begin) % _DAY] += one.runs + one.begins
    best = sorted(sums, key=lambda cell: (sums[cell], cell))[:_SHOWN]
    return [f"{_at(cell):%H:%M}" for cell in best]


def _cell(at: datetime) -> int:
    return (at - _EPOCH) // CELL


def _at(cell: int) -> datetime:
    return _EPOCH + cell * CELL
