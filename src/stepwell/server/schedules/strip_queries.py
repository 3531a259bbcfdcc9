"""What the strip reads: lines of the ledger with their runs, whole or counted by the hour."""

from __future__ import annotations

from collections.abc import Sequence
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
    cast,
    func,
    or_,
    select,
)

from stepwell.schedules.ledger import Fate
from stepwell.server.database.tables import backfill_instants, ledger, runs
from stepwell.server.runs.records import RunState
from stepwell.server.schedules.backfill_records import BackfillFate
from stepwell.server.schedules.queries import Row

_SPOKEN = ledger.c.fate != Fate.CHANGED.value
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


def begun(conn: Connection, begin: datetime, end: datetime, cell: int, limit: int) -> Sequence[Any]:
    """What the runs created in the span have been, of `limit` at most, the newest.

    Those that began and ended in the same cell of so many seconds come together: the number of
    the cell since 1970, group, pool, how many, their seconds. Most runs are such.
    """
    newest = _newest(begin, end, limit)
    first, last = (_number(conn, newest.c[name], cell) for name in ("started_at", "finished_at"))
    by = (first.label("cell"), newest.c.group_name, newest.c.pool)
    seconds = func.sum(_length(conn, newest.c.started_at, newest.c.finished_at))
    query = select(*by, func.count().label("runs"), seconds.label("seconds"))
    return conn.execute(query.where(first == last).group_by(*by)).all()


def spans(conn: Connection, begin: datetime, end: datetime, cell: int, limit: int) -> Sequence[Any]:
    """The others, each by itself: begin, end (None: goes on), group and pool."""
    newest = _newest(begin, end, limit)
    first, last = (_number(conn, newest.c[name], cell) for name in ("started_at", "finished_at"))
    names = ("started_at", "finished_at", "group_name", "pool")
    longer = or_(newest.c.finished_at.is_(None), first != last)
    return conn.execute(select(*(newest.c[name] for name in names)).where(longer)).all()


def _newest(begin: datetime, end: datetime, limit: int) -> Subquery:
    """Runs created in the span that have started, the newest."""
    t = runs.c
    return (
        select(t.started_at, t.finished_at, t.group_name, t.pool)
        .where(
            t.state.in_([state.value for state in RunState]),  # so that an index fits
            t.created_at >= begin,
            t.created_at < end,
            t.started_at.is_not(None),
        )
        .order_by(t.created_at.desc())
        .limit(limit)
        .subquery()
    )


def _number(conn: Connection, at: ColumnElement[datetime], cell: int) -> ColumnElement[int]:
    """The cell that an instant lies in, counted from 1970."""
    if conn.dialect.name == "sqlite":
        return cast(func.strftime("%s", at, type_=Text), Integer).op("/")(cell)
    return cast(func.floor(func.extract("epoch", at) / cell), BigInteger)


def _length(
    conn: Connection, begin: ColumnElement[datetime], end: ColumnElement[datetime]
) -> ColumnElement[float]:
    """Seconds between two instants."""
    if conn.dialect.name == "sqlite":
        days = func.julianday(end, type_=Float) - func.julianday(begin, type_=Float)
        return days * 86400.0
    return cast(func.extract("epoch", end) - func.extract("epoch", begin), Float)


def _in(ids: Sequence[UUID], begin: datetime, end: datetime) -> list[ColumnElement[bool]]:
    due = ledger.c.first_due
    return [ledger.c.schedule_id.in_(ids), due >= begin, due < end, _SPOKEN]


def _cell(conn: Connection, cell: str) -> ColumnElement[str]:
    """The first characters of the instant as ISO text in UTC: 2026-05-01T12, or without T12."""
    if conn.dialect.name == "sqlite":  # instants are such text there
        return func.substr(ledger.c.first_due, 1, _WITHOUT[cell])
    text = func.to_char(func.timezone("UTC", ledger.c.first_due), 'YYYY-MM-DD"T"HH24')
    return func.substr(text, 1, _WITHOUT[cell])
