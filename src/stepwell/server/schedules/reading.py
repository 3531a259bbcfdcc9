"""What people look at: schedules, their next fires, the ledger, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import StepwellError
from stepwell.schedules import from_json
from stepwell.schedules.ledger import Fate
from stepwell.server.database.tables import ledger, schedules
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.schedules import queries
from stepwell.server.schedules.backfills import queries as backfill_queries
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.previews import service as previews
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import (
    LastFate,
    LedgerEntry,
    Origin,
    Scheduled,
    ScheduledInFull,
)

_INSTANT: Final = timedelta(microseconds=1)


def listed(
    conn: Connection,
    pages: Paging,
    *,
    group: str | None,
    workflow: str | None,
    active: bool | None,
    last: Fate | None = None,
) -> Page[Scheduled]:
    """Schedules, newest first, each with the fate of its latest due instant."""
    query = queries.listed(group, workflow, active)
    query = query if last is None else query.where(queries.last_fate() == last.value)
    page = paged(conn, query, pages, by=[schedules.c.id], make=dict)
    fields = _fields(conn, page.items)
    return pages.page([Scheduled(**one) for one in fields], page.next)


def detail(conn: Connection, schedule_id: UUID) -> ScheduledInFull:
    """A schedule with its next ten fires; raises `ScheduleNotFound`."""
    row = changing.found(queries.get(conn, schedule_id), schedule_id)
    [fields] = _fields(conn, [row])
    return ScheduledInFull(
        **fields,
        fires=previews.next_fires(conn, row),
        notes=previews.clock_notes(row),
    )


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
    page = paged(conn, query, pages, by=[ledger.c.first_due], make=lambda row: LedgerEntry(**row))
    return pages.page(_made_up(conn, schedule_id, page.items), page.next)


def _made_up(conn: Connection, schedule_id: UUID, lines: list[LedgerEntry]) -> list[LedgerEntry]:
    """The lines, with what backfills made up for."""
    if not lines:
        return lines
    until = max(line.last_due for line in lines) + _INSTANT
    found = backfill_queries.made_up(conn, schedule_id, lines[-1].first_due, until)
    return [_with(line, found) for line in lines]


def _with(line: LedgerEntry, found: Sequence[Row]) -> LedgerEntry:
    mine = [one for one in found if line.first_due <= one["due_at"] <= line.last_due]
    if not mine or not line.count:
        return line
    instants = len({one["due_at"] for one in mine})
    latest = mine[-1]["run_id"]
    return line.model_copy(update={"backfilled": instants, "backfill_run_id": latest})


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
            "skips": row["skips"] or [],
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


def _source(row: Row | dict[str, Any], source: dict[str, Any] | None) -> dict[str, Any]:
    """What the source says beside an override; the source gives no parameters (R31)."""
    if row["origin"] != Origin.OVERRIDDEN:
        return {"source": None, "source_differs": False}
    says = None if source is None else from_json(source).as_json()
    differs = says != row["spec"] or bool(row["parameters"])
    return {"source": source, "source_differs": differs}
