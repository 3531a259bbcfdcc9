"""What the strip reads: lines of the ledger with their runs, whole or counted by the hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Subquery,
    Text,
    case,
    cast,
    func,
    null,
    select,
    type_coerce,
)

from stepwell.schedules.ledger import Fate
from stepwell.server.database.tables import backfill_instants, ledger, runs
from stepwell.server.schedules.backfills.records import BackfillFate
from stepwell.server.schedules.queries import Row

_SPOKEN = ledger.c.fate != Fate.CHANGED.value
_1970 = 2440587.5
_WITHOUT = {"hour": 13, "day": 10}


def numbers(
    conn: Connection, ids: Sequence[UUID], begin: datetime, end: datetime
) -> dict[UUID, int]:
    """Schedule -> how many lines begin in [begin, end)."""
    query = select(ledger.c.schedule_id, func.count()).where(*_in(ids, begin, end))
    found = conn.execute(query.group_by(ledger.c.schedule_id))
    return {schedule_id: count for schedule_id, count in found}  # noqa: C416 - rows are no pairs


def lines(conn: Connection, ids: Sequence[UUID], begin: datetime, end: datetime) -> Sequence[Row]:
    """Lines that begin in the span, oldest first, with state and times of their runs."""
    query = (
        select(ledger, runs.c.state, runs.c.started_at, runs.c.finished_at)
        .outerjoin(runs, runs.c.id == ledger.c.run_id)
        .where(*_in(ids, begin, end))
        .order_by(ledger.c.schedule_id, ledger.c.first_due)
    )
    return conn.execute(query).mappings().all()


def counted(
    conn: Connection, ids: Sequence[UUID], begin: datetime, end: datetime, cell: str
) -> Sequence[Row]:
    """Instants per schedule, hour or day (as text), fate, reason and state of the run."""
    key = _cell(conn, cell).label("cell")
    by = (ledger.c.schedule_id, key, ledger.c.fate, ledger.c.why, runs.c.state)
    query = (
        select(*by, func.sum(ledger.c.count).label("count"))
        .outerjoin(runs, runs.c.id == ledger.c.run_id)
        .where(*_in(ids, begin, end))
        .group_by(*by)
        .order_by(ledger.c.schedule_id, key)
    )
    return conn.execute(query).mappings().all()


def made_up(
    conn: Connection, ids: Sequence[UUID], begin: datetime, end: datetime, most: int
) -> Sequence[Row]:
    """Instants that backfills run or have run, with the states of their runs, oldest first.

    Of a schedule with more than `most` of them there are none.
    """
    t = backfill_instants.c
    mine = (t.schedule_id.in_(ids), t.due_at >= begin, t.due_at < end)
    wanted = (*mine, t.fate.in_((BackfillFate.RAN.value, BackfillFate.PLANNED.value)))
    few = select(t.schedule_id).where(*wanted).group_by(t.schedule_id)
    query = (
        select(backfill_instants, runs.c.state)
        .outerjoin(runs, runs.c.id == t.run_id)
        .where(*wanted, t.schedule_id.in_(few.having(func.count() <= most)))
        .order_by(t.schedule_id, t.due_at, t.entered_at)
    )
    return conn.execute(query).mappings().all()


def went_on(
    conn: Connection,
    begin: datetime,
    end: datetime,
    cell: int,
    limit: int,
    *,
    apart: Mapping[str, Sequence[str]],
) -> Sequence[Any]:
    """What the runs created in the span have been, of `limit` at most, the newest.

    Those that began and ended in the same cell of so many seconds come together, most runs are
    such; the others come each by itself. A row has `alone` (whether it is such another), the
    `cell` that it began in, counted from 1970, group, pool, how many `runs` and their `seconds`,
    and when the first began and the first ended (None: it goes on).

    Parameters
    ----------
    apart : kind -> the groups and pools that are told from each other; the rest have no name.
    """
    t = _newest(conn, begin, end, limit).c
    first, last = (_number(conn, at, cell) for at in (t.began, t.ended))
    one = select(
        case((first == last, None), else_=t.id).label("alone"),
        first.label("cell"),
        _named(t.group_name, apart.get("group", ())).label("group_name"),
        _named(t.pool, apart.get("pool", ())).label("pool"),
        _length(conn, t.began, t.ended).label("seconds"),
        *(t.started_at, t.finished_at),
    ).subquery()
    by = (one.c.alone, one.c.cell, one.c.group_name, one.c.pool)
    query = select(
        one.c.alone.is_not(None).label("alone"),
        *by[1:],
        func.count().label("runs"),
        func.sum(one.c.seconds).label("seconds"),
        func.min(one.c.started_at).label("started_at"),
        func.min(one.c.finished_at).label("finished_at"),
    )
    return conn.execute(query.group_by(*by)).all()


def _named(name: ColumnElement[str], known: Sequence[str]) -> ColumnElement[str | None]:
    """The name if it is one of these: fewer names are fewer rows."""
    return case((name.in_(known), name), else_=None) if known else type_coerce(null(), Text)


def _newest(conn: Connection, begin: datetime, end: datetime, limit: int) -> Subquery:
    """Runs created in the span that have started, the newest, with both times as numbers."""
    t = runs.c
    return (
        select(
            *(t.id, t.started_at, t.finished_at, t.group_name, t.pool),
            _clock(conn, t.started_at).label("began"),
            _clock(conn, t.finished_at).label("ended"),
        )
        .where(t.created_at >= begin, t.created_at < end, t.started_at.is_not(None))
        .order_by(t.created_at.desc())
        .limit(limit)
        .subquery()
    )


def _clock(conn: Connection, at: ColumnElement[datetime]) -> ColumnElement[Any]:
    """An instant as a number: days of the julian calendar on SQLite, elsewhere seconds."""
    if conn.dialect.name == "sqlite":
        return func.julianday(at, type_=Float)
    return func.extract("epoch", at)


def _number(conn: Connection, clock: ColumnElement[Any], cell: int) -> ColumnElement[int]:
    """The cell that it lies in, counted from 1970. SQLite knows instants by the millisecond."""
    if conn.dialect.name == "sqlite":
        thousandths = cast(func.round((clock - _1970) * 86_400_000.0), Integer)
        return thousandths.op("/")(1000 * cell)
    return cast(func.floor(clock / cell), BigInteger)


def _length(
    conn: Connection, begin: ColumnElement[Any], end: ColumnElement[Any]
) -> ColumnElement[float]:
    """Seconds between two of them."""
    if conn.dialect.name == "sqlite":
        return (end - begin) * 86400.0
    return cast(end - begin, Float)


def _in(ids: Sequence[UUID], begin: datetime, end: datetime) -> list[ColumnElement[bool]]:
    due = ledger.c.first_due
    return [ledger.c.schedule_id.in_(ids), due >= begin, due < end, _SPOKEN]


def _cell(conn: Connection, cell: str) -> ColumnElement[str]:
    """The first characters of the instant as ISO text in UTC: 2026-05-01T12, or without T12."""
    if conn.dialect.name == "sqlite":  # instants are such text there
        return func.substr(ledger.c.first_due, 1, _WITHOUT[cell])
    text = func.to_char(func.timezone("UTC", ledger.c.first_due), 'YYYY-MM-DD"T"HH24')
    return func.substr(text, 1, _WITHOUT[cell])
