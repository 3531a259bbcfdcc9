"""What people look at: schedules, their next fires, the ledger, and whether it is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import StepwellError
from stepwell.schedules import Cron, Schedule, from_json
from stepwell.schedules.ledger import Entry, Fate, breaks
from stepwell.server.database.tables import ledger, schedules
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.schedules import changing, queries
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import (
    Audit,
    Fire,
    LastFate,
    LedgerEntry,
    NewPreview,
    Origin,
    Preview,
    Scheduled,
    ScheduledInFull,
)

SHOWN: Final = 10
_INSTANT: Final = timedelta(microseconds=1)


def preview(asked: NewPreview) -> Preview:
    """When a schedule would be due; nothing is saved.

    Raises
    ------
    ScheduleInvalid, CronInvalid, IntervalInvalid, TimezoneUnknown.
    """
    spec = from_json(asked.spec)
    after = asked.after or clock.now()
    return Preview(description=spec.describe(), fires=fires(spec, after, asked.count))


def fires(spec: Schedule, after: datetime, count: int = SHOWN) -> list[Fire]:
    """The next due instants, with what the zone's clock shows."""
    zone = ZoneInfo(spec.timezone if isinstance(spec, Cron) else "UTC")
    found = islice(spec.fires(after), count)
    return [Fire(at=at, local=at.astimezone(zone).isoformat()) for at in found]


def listed(
    conn: Connection,
    pages: Paging,
    *,
    group: str | None,
    workflow: str | None,
    active: bool | None,
) -> Page[Scheduled]:
    """Schedules, newest first, each with the fate of its latest due instant."""
    query = queries.listed(group, workflow, active)
    page = paged(conn, query, pages, by=[schedules.c.id], make=dict)
    fields = _fields(conn, page.items)
    return pages.page([Scheduled(**one) for one in fields], page.next)


def detail(conn: Connection, schedule_id: UUID) -> ScheduledInFull:
    """A schedule with its next ten fires; raises `ScheduleNotFound`."""
    row = changing.found(queries.get(conn, schedule_id), schedule_id)
    [fields] = _fields(conn, [row])
    return ScheduledInFull(**fields, fires=_next_fires(row))


def lines(
    conn: Connection,
    pages: Paging,
    schedule_id: UUID,
    *,
    fate: Fate | None,
    since: datetime | None,
    until: datetime | None,
) -> Page[LedgerEntry]:
    """The ledger, newest first."""
    changing.found(queries.get(conn, schedule_id), schedule_id)
    query = queries.lines(schedule_id)
    query = query if fate is None else query.where(ledger.c.fate == fate.value)
    query = query if since is None else query.where(ledger.c.last_due >= since)
    query = query if until is None else query.where(ledger.c.first_due < until)
    return paged(conn, query, pages, by=[ledger.c.first_due], make=lambda row: LedgerEntry(**row))


def audited(
    conn: Connection, schedule_id: UUID, begin: datetime | None, end: datetime | None
) -> Audit:
    """Prove that the ledger of a span is one chain that accounts for every due instant (R30)."""
    row = changing.found(queries.get(conn, schedule_id), schedule_id)
    as_of = clock.now()
    book = [queries.as_entry(line) for line in queries.book(conn, schedule_id, begin, end)]
    last = queries.last_line(conn, schedule_id)
    reaches_the_end = not book or last is None or book[-1] == queries.as_entry(last)
    expected = row["next_due"] if reaches_the_end else book[-1].following
    faults = [*_begin(book, begin), *breaks(book, expected)]
    counted: Counter[Fate] = Counter()
    for entry in book:
        counted[entry.fate] += entry.count
    return Audit(
        begin=begin,
        end=end or as_of,
        unbroken=not faults,
        entries=len(book),
        instants=sum(counted.values()),
        by_fate={fate: count for fate, count in counted.items() if fate is not Fate.CHANGED},
        next_due=row["next_due"],
        breaks=faults,
        advice=list(_advice(row, book)),
        as_of=as_of,
    )


def _begin(book: list[Entry], begin: datetime | None) -> Iterator[str]:
    """A book that is read from its first line begins with the making of the schedule."""
    if begin is None and (not book or book[0].fate is not Fate.CHANGED):
        yield "The ledger does not begin with the making of the schedule."


def _advice(row: Row, book: list[Entry]) -> Iterator[str]:
    """Where today's computation differs, for entries of the version in force."""
    try:
        spec = from_json(row["spec"])
    except StepwellError as error:
        yield f"The schedule cannot be read: {error}"
        return
    mine = [one for one in book if one.version == row["version"] and one.count]
    for entry in mine:
        computed = _recount(spec, entry)
        if computed != entry.count:
            yield (
                f"From {entry.first.isoformat()} to {entry.last.isoformat()} the ledger counts "
                f"{entry.count} due instants, and a computation of today {computed}."
            )


def _recount(spec: Schedule, entry: Entry) -> int:
    return sum(1 for _ in spec.between(entry.first, entry.last + _INSTANT))


def _fields(conn: Connection, rows: Sequence[Row | dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What is shown of each row, with as many queries for many as for one."""
    fates = queries.last_fates(conn, [row["id"] for row in rows])
    overridden = [row for row in rows if row["origin"] == Origin.OVERRIDDEN]
    places = [(row["group_name"], row["workflow"]) for row in overridden]
    entries = queries.entries_in_force(conn, places) if places else {}
    for row in rows:
        last = fates.get(row["id"])
        entry = entries.get((row["group_name"], row["workflow"]), {})
        yield {
            **{name: value for name, value in row.items() if name != "group_name"},
            **_source(row, entry.get("schedule")),
            "group": row["group_name"],
            "description": _description(row["spec"]),
            "last": None if last is None else _last(last),
        }


def _last(line: Row) -> LastFate:
    return LastFate(due=line["last_due"], fate=line["fate"], why=line["why"], run_id=line["run_id"])


def _description(spec: dict[str, Any]) -> str:
    try:
        return from_json(spec).describe()
    except StepwellError as error:
        return f"Cannot be read: {error}"


def _next_fires(row: Row) -> list[Fire]:
    if row["next_due"] is None:
        return []
    spec = from_json(row["spec"])
    return fires(spec, row["next_due"] - _INSTANT)


def _source(row: Row | dict[str, Any], source: dict[str, Any] | None) -> dict[str, Any]:
    """What the source says beside an override; the source gives no parameters (R31)."""
    if row["origin"] != Origin.OVERRIDDEN:
        return {"source": None, "source_differs": False}
    says = None if source is None else from_json(source).as_json()
    differs = says != row["spec"] or bool(row["parameters"])
    return {"source": source, "source_differs": differs}
