"""Series and totals, from the roll-ups and from what is not in them yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from stepwell import clock
from stepwell.errors import InvalidInput
from stepwell.server.database.tables import releases
from stepwell.server.metrics import lineage, queries
from stepwell.server.metrics.folding import Sums
from stepwell.server.metrics.records import (
    Hour,
    Measured,
    Metrics,
    Period,
    Point,
    ReleaseMark,
    Step,
    Total,
)
from stepwell.server.metrics.spans import EVERYTHING, HOUR, Key, day_of, hour_of
from stepwell.server.metrics.tallies import Tally, Waited, change, figures, total, waiting

LONGEST: Final = timedelta(days=366)
BY_HOUR: Final = timedelta(days=7)
"""A range up to this long is of whole hours, a longer one of whole days."""
MOST_HOURS: Final = timedelta(days=31)


class Range(NamedTuple):
    """A range of whole hours or days: `first` is in it, `last` is not."""

    span: str
    first: datetime
    last: datetime

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.last - self.first) / timedelta(hours=1)

    def before(self) -> Range:
        """The range of the same length that ends where this one begins."""
        return Range(self.span, self.first - (self.last - self.first), self.first)


def range_of(first: datetime | None, last: datetime | None, step: Step | None = None) -> Range:
    """Widen a range to whole hours or days; by default the last 24 hours.

    Raises
    ------
    InvalidInput : it ends before it begins, is longer than a year, or has too many hours.
    """
    to = clock.now() if last is None else clock.as_utc(last)
    since = to - timedelta(hours=24) if first is None else clock.as_utc(first)
    if not timedelta(0) < to - since <= LONGEST:
        raise InvalidInput(
            f"From {since.isoformat()} to {to.isoformat()} cannot be measured.",
            why="A range ends after it begins, and is at most 366 days long.",
            fix="Correct from= and to=.",
        )
    span = step or (Step.HOUR if to - since <= BY_HOUR else Step.DAY)
    if span is Step.HOUR and to - since > MOST_HOURS:
        raise InvalidInput(
            "That is too long for points of an hour.",
            why=f"At most {MOST_HOURS.days} days can be shown hour by hour.",
            fix="Ask for step=day, or for a shorter range.",
        )
    floor, unit = _UNITS[span]
    return Range(str(span), floor(since), floor(to) + (unit if floor(to) != to else timedelta(0)))


_UNITS: Final[dict[Step, tuple[Callable[[datetime], datetime], timedelta]]] = {
    Step.HOUR: (hour_of, timedelta(hours=1)),
    Step.DAY: (day_of, timedelta(days=1)),
}


def query(
    conn: Connection,
    over: Range,
    *,
    group: str | None = None,
    workflow: str | None = None,
    operation: str | None = None,
    compare: bool = False,
) -> Measured:
    """The series of one operation, or of the runs of a workflow, a group or the whole server.

    Raises
    ------
    InvalidInput : an operation without its workflow, or a workflow without its group.
    """
    key = _key(group, workflow, operation)
    queries.together(conn)
    earlier = over.before()
    news = fresh(conn, earlier._replace(last=over.last) if compare else over)
    points = series(conn, over, key, news)
    now = _period(conn, over, key, points, news)
    before = None
    if compare:
        before = _period(conn, earlier, key, series(conn, earlier, key, news), news)
    return Measured(
        from_=over.first,
        to=over.last,
        step=Step(over.span),
        as_of=clock.now(),
        group=group,
        workflow=workflow,
        operation=operation,
        points=[Point(at=at, **figures(one)) for at, one in sorted(points.items())],
        total=now,
        previous=before,
        change=None if before is None else change(now, before, over.hours),
        releases=_marks(conn, over, group),
    )


def series(
    conn: Connection, over: Range, key: tuple[str, str, str], news: Sums
) -> dict[datetime, Tally]:
    """Start -> what ended from then on for an hour or a day; only where something has."""
    found: dict[datetime, Tally] = {}
    keys = [(key[0], name, key[2]) for name in lineage.names_of(conn, key[0], key[1])]
    for one in keys:
        for row in queries.series(conn, over.span, over.first, over.last, one):
            found.setdefault(row["start"], Tally()).add(row)
    for fresh_key, tally in news.tallies.items():
        ours = fresh_key.span == over.span and fresh_key[1:4] in keys
        if ours and over.first <= fresh_key.start < over.last:
            found.setdefault(fresh_key.start, Tally()).add(tally.values())
    return found


def waited(
    conn: Connection, over: Range, group: str, workflow: str, news: Sums
) -> dict[str, Waited]:
    """Reason -> how long was waited for it."""
    found: dict[str, Waited] = {}
    for row in queries.waits(conn, over.span, over.first, over.last, group, workflow):
        found.setdefault(row["reason"], Waited()).add(row)
    for one, more in news.waits.items():
        ours = one[:3] == (over.span, group, workflow)
        if ours and over.first <= one.start < over.last:
            found.setdefault(one.reason, Waited()).add(more.values())
    return found


def fresh(conn: Connection, over: Range) -> Sums:
    """What is not in the roll-ups yet."""
    sums = Sums()
    sums.measure(queries.pending(conn, over.first, over.last))
    sums.hourly(row for row in queries.unfolded(conn) if over.first <= row["hour"] < over.last)
    return sums


def measured(
    conn: Connection, first: datetime | None, last: datetime | None, **names: str | None
) -> Metrics:
    """Figures of each workflow and operation, per hour and in total.

    Raises
    ------
    InvalidInput : a range that cannot be measured.
    """
    over = range_of(first, last)._replace(span=HOUR)
    over = over._replace(first=hour_of(over.first))
    where = {("group_name" if name == "group" else name): one for name, one in names.items()}
    queries.together(conn)
    tallies = _all_hours(conn, over, where)
    by_name: dict[tuple[str, str, str], list[Tally]] = {}
    for key, one in sorted(tallies.items()):
        by_name.setdefault((key.group_name, key.workflow, key.operation), []).append(one)
    totals = [Total(**_names(*key), **figures(total(of))) for key, of in by_name.items()]
    hours = [
        Hour(hour=key.start, **_names(*key[1:4]), **figures(one))
        for key, one in sorted(tallies.items(), key=lambda item: (item[0].start, item[0]))
    ]
    return Metrics(from_=over.first, to=over.last, as_of=clock.now(), totals=totals, hours=hours)


def _all_hours(conn: Connection, over: Range, where: Mapping[str, str | None]) -> dict[Key, Tally]:
    found: dict[Key, Tally] = {}
    for row in queries.everything(conn, HOUR, over.first, over.last, **where):
        key = Key(*(row[name] for name in Key._fields))
        found.setdefault(key, Tally()).add(row)
    for key, tally in fresh(conn, over).tallies.items():
        wanted = all(value in (None, getattr(key, name)) for name, value in where.items())
        if key.span == HOUR and key.workflow != EVERYTHING and wanted:
            found.setdefault(key, Tally()).add(tally.values())
    return found


def _names(group: str, workflow: str, operation: str) -> dict[str, Any]:
    return {"group": group, "workflow": workflow, "operation": operation or None}


def _key(group: str | None, workflow: str | None, operation: str | None) -> tuple[str, str, str]:
    if (operation and not workflow) or (workflow and not group):
        raise InvalidInput(
            "An operation is one of a workflow, and a workflow one of a group.",
            fix="Give group= with workflow=, and both with operation=.",
        )
    return group or EVERYTHING, workflow or EVERYTHING, operation or EVERYTHING


def _period(
    conn: Connection,
    over: Range,
    key: tuple[str, str, str],
    points: Mapping[datetime, Tally],
    news: Sums,
) -> Period:
    everything = total(points.values())
    ended = everything.judged + everything.other
    waits = {} if key[2] else waited(conn, over, key[0], key[1], news)
    return Period(
        from_=over.first,
        to=over.last,
        per_hour=ended / over.hours,
        waits=waiting(waits),
        **figures(everything),
    )


def _marks(conn: Connection, over: Range, group: str | None) -> list[ReleaseMark]:
    t = releases
    query = select(t.c.group_name, t.c.number, t.c.created_at).where(t.c.number > 0)
    query = query.where(t.c.created_at >= over.first, t.c.created_at < over.last)
    query = query if group is None else query.where(t.c.group_name == group)
    rows: Iterable[Any] = conn.execute(query.order_by(t.c.created_at).limit(500))
    return [ReleaseMark(group=row[0], number=row[1], at=row[2]) for row in rows]
