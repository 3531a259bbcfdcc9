"""Prove that every due instant is accounted for: the chain, and the count (R30).

The chain is the proof: each line names the instant that follows it, so none can be
missing between two lines. Beside it the due instants of the span are computed anew, by
the rules that were in force (each change keeps them in its line), and counted.

What retention has folded was one chain when it was folded, or it would be there still. The
line in its place says how many instants they were; they count where the span holds them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, select

from stepwell.errors import StepwellError
from stepwell.schedules import Schedule, from_json
from stepwell.schedules.base import iso
from stepwell.schedules.ledger import Entry, Fate, breaks
from stepwell.server.database.tables import schedules
from stepwell.server.schedules import queries
from stepwell.server.schedules.audits.records import Audit, AuditOfAll, ScheduleAudit
from stepwell.server.schedules.backfills import queries as backfill_queries
from stepwell.server.schedules.errors import ScheduleNotFound
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.ledger.folding import summary_of
from stepwell.server.schedules.queries import Row
from stepwell.server.services import Services

_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """What is audited: from `begin` (None: the first line) up to `end`, at most up to now."""

    begin: datetime | None
    end: datetime
    now: datetime

    def holds(self, at: datetime) -> bool:
        """Whether an instant is within it; now is, if it ends now."""
        return (self.begin is None or at >= self.begin) and at < self.until

    @property
    def until(self) -> datetime:
        """The instant that it does not reach."""
        return self.end if self.end < self.now else self.now + _INSTANT

    def counted(self, spec: Schedule, first: datetime, last: datetime) -> int:
        """How many instants from `first` to `last`, both included, are due within the span."""
        low = first if self.begin is None else max(first, self.begin)
        return sum(1 for _ in spec.between(low, min(last + _INSTANT, self.until)))


def audited(
    conn: Connection,
    services: Services,
    schedule_id: UUID,
    begin: datetime | None,
    end: datetime | None,
) -> Audit:
    """Prove that the ledger of a span is one chain that accounts for every due instant.

    Raises
    ------
    ScheduleNotFound : nor was there ever one; of a removed one the ledger stays.
    """
    row = queries.get(conn, schedule_id)
    if row is None:
        raise ScheduleNotFound(schedule_id)
    return _audit(conn, row, _span(conn, services, begin, end))


def audited_all(
    conn: Connection, services: Services, begin: datetime | None, end: datetime | None
) -> AuditOfAll:
    """The same for every schedule, also those that are out of force or removed."""
    span = _span(conn, services, begin, end)
    rows = conn.execute(select(schedules).order_by(schedules.c.id)).mappings().all()
    audits = [_named(row, _audit(conn, row, span)) for row in rows]
    audits.sort(key=lambda one: one.proven)
    return AuditOfAll(
        begin=begin,
        end=span.end,
        proven=all(one.proven for one in audits),
        schedules=len(audits),
        due=sum(one.due for one in audits),
        accounted=sum(one.accounted for one in audits),
        open=sum(one.open for one in audits),
        audits=audits,
        as_of=span.now,
    )


def _span(
    conn: Connection, services: Services, begin: datetime | None, end: datetime | None
) -> Span:
    now = now_of(conn, services.clock)
    return Span(begin, now if end is None else min(end, now), now)


def _named(row: Row, audit: Audit) -> ScheduleAudit:
    place = {"group": row["group_name"], "workflow": row["workflow"], "name": row["name"]}
    return ScheduleAudit(schedule_id=row["id"], **place, **dict(audit))


def _audit(conn: Connection, row: Row, span: Span) -> Audit:
    end = span.end if span.end < span.now else None  # the whole rest, with changes of just now
    lines = list(queries.book(conn, row["id"], span.begin, end))
    book = [queries.as_entry(line) for line in lines]
    faults = [*_begin(book, span.begin), *breaks(book, _expected(conn, row, book))]
    count = _Count(row, lines, span)
    unsettled = _open(row, span)
    made_up = backfill_queries.made_up(conn, row["id"], span.begin, span.end)
    return Audit(
        begin=span.begin,
        end=span.end,
        proven=not faults and not unsettled,
        unbroken=not faults,
        entries=len(book),
        folded=count.folded,
        due=count.computed + unsettled,
        accounted=sum(count.entered.values()),
        open=unsettled,
        by_fate=dict(count.entered),
        backfilled=len({one["due_at"] for one in made_up}),
        next_due=row["next_due"],
        breaks=faults,
        advice=count.advice,
        as_of=span.now,
    )


def _expected(conn: Connection, row: Row, book: Sequence[Entry]) -> datetime | None:
    """What must follow the last line read: `next_due`, if it is the last of the book."""
    last = queries.last_line(conn, row["id"])
    at_the_end = not book or last is None or book[-1] == queries.as_entry(last)
    found: datetime | None = row["next_due"] if at_the_end else book[-1].following
    return found


def _begin(book: Sequence[Entry], begin: datetime | None) -> Iterator[str]:
    """A book that is read from its first line begins with the making of the schedule."""
    if begin is None and (not book or book[0].fate is not Fate.CHANGED):
        yield "The ledger does not begin with the making of the schedule."


class _Count:
    """Instants of the span: as entered, per fate, and as computed; where they differ, advice."""

    def __init__(self, row: Row, lines: Sequence[Row], span: Span) -> None:
        self.span = span
        self.entered: Counter[Fate] = Counter()
        self.computed = self.folded = 0
        self.advice: list[str] = []
        specs = _specs(row, lines)
        if row["version"] not in specs:
            self.advice.append("The schedule cannot be read.")
        if lines:
            self._count_folded(lines[0])
        speaking = (line for line in lines if line["count"])
        for version, stretch in groupby(speaking, key=lambda line: line["schedule_version"]):
            self._count(list(stretch), specs.get(version))

    def _count_folded(self, first: Row) -> None:
        """What was before the book as it is now, if the span holds it all."""
        summary = summary_of(first)
        if summary is None:
            return
        begin, since = self.span.begin, summary.since
        if begin is None or (since is not None and begin <= since):
            self.entered += summary.fates
            self.folded = summary.fates.total()
            self.computed += self.folded
        elif begin < first["first_due"]:
            self.advice.append(
                f"Lines up to {iso(first['first_due'])} were folded into one: their instants "
                "count only for a span from before the first of them."
            )

    def _count(self, stretch: Sequence[Row], spec: Schedule | None) -> None:
        """One run of lines by the same rules: computed in one go, line by line where it differs."""
        entered = [self._within(line, spec) for line in stretch]
        for line, count in zip(stretch, entered, strict=True):
            self.entered[line["fate"]] += count
        self.entered = +self.entered
        total = sum(entered)
        if spec is None:
            self.computed += total
            return
        first, last = stretch[0]["first_due"], stretch[-1]["last_due"]
        computed = self.span.counted(spec, first, last)
        self.computed += computed
        if computed != total:
            self.advice.append(_difference(first, last, total, computed))

    def _within(self, line: Row, spec: Schedule | None) -> int:
        """Of a line that reaches over an edge of the span, the instants inside."""
        first, last = line["first_due"], line["last_due"]
        if self.span.holds(first) and self.span.holds(last):
            return int(line["count"])
        if spec is None or line["count"] == 1:
            return int(self.span.holds(first))
        return self.span.counted(spec, first, last)


def _difference(first: datetime, last: datetime, entered: int, computed: int) -> str:
    return (
        f"From {first.isoformat()} to {last.isoformat()} the ledger counts {entered} due "
        f"instants, and a computation of today {computed}."
    )


def _specs(row: Row, lines: Sequence[Row]) -> dict[int, Schedule]:
    """Version -> what was in force, as far as it is known and can be read."""
    kept: dict[int, Any] = {one["schedule_version"]: one["spec"] for one in lines if one["spec"]}
    kept[row["version"]] = row["spec"]
    made = {}
    for version, spec in kept.items():
        try:
            made[version] = from_json(spec).keyed(queries.key_of(row))
        except StepwellError:
            continue
    return made


def _open(row: Row, span: Span) -> int:
    """Due instants of the span that nobody has entered yet."""
    due = row["next_due"]
    if due is None or due >= span.until:
        return 0
    try:
        return span.counted(queries.spec_of(row), due, span.until)
    except StepwellError:
        return 1
