"""What the strip reads: lines of the ledger with their runs, whole or counted by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select

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


def spans(conn: Connection, begin: datetime, end: datetime, limit: int) -> Sequence[Any]:
    """Begin, end (None: goes on), group and pool of the runs created in the span, newest first."""
    query = (
        select(runs.c.started_at, runs.c.finished_at, runs.c.group_name, runs.c.pool)
        .where(
            runs.c.state.in_([state.value for state in RunState]),  # so that an index fits
            runs.c.created_at >= begin,
            runs.c.created_at < end,
            runs.c.started_at.is_not(None),
        )
        .order_by(runs.c.created_at.desc())
        .limit(limit)
    )
    return conn.execute(query).all()


def _in(ids: Sequence[UUID], begin: datetime, end: datetime) -> list[ColumnElement[bool]]:
    due = ledger.c.first_due
    return [ledger.c.schedule_id.in_(ids), due >= begin, due < end, _SPOKEN]


def _cell(conn: Connection, cell: str) -> ColumnElement[str]:
    """The first characters of the instant as ISO text in UTC: 2026-05-01T12, or without T12."""
    if conn.dialect.name == "sqlite":  # instants are such text there
        return func.substr(ledger.c.first_due, 1, _WITHOUT[cell])
    text = func.to_char(func.timezone("UTC", ledger.c.first_due), 'YYYY-MM-DD"T"HH24')
    return func.substr(text, 1, _WITHOUT[cell])
