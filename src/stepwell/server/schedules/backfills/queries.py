"""Backfills in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, insert, select, update

from stepwell.schedules.ledger import Fate
from stepwell.server.database.tables import (
    backfill_instants,
    backfills,
    ledger,
    runs,
    schedules,
)
from stepwell.server.schedules.backfills.records import BackfillFate
from stepwell.server.schedules.queries import ACTIVE_RUNS, Row

_PLANNED = backfill_instants.c.fate == BackfillFate.PLANNED.value


def add(conn: Connection, turns: Iterable[Mapping[str, Any]], **values: Any) -> None:
    """Insert a backfill and what it is to run."""
    conn.execute(insert(backfills).values(**values))
    own = {"backfill_id": values["id"], "schedule_id": values["schedule_id"], "run_id": None}
    rows = [{**own, **one} for one in turns]
    if rows:
        conn.execute(insert(backfill_instants), rows)


def listed(schedule_id: UUID | None = None) -> Select[Any]:
    """Backfills with the place of their schedule."""
    place = (schedules.c.group_name, schedules.c.workflow, schedules.c.name)
    query = select(backfills, *place).join(schedules, schedules.c.id == backfills.c.schedule_id)
    return query if schedule_id is None else query.where(backfills.c.schedule_id == schedule_id)


def get(conn: Connection, backfill_id: UUID) -> Row | None:
    """One backfill."""
    query = listed().where(backfills.c.id == backfill_id)
    return conn.execute(query).mappings().one_or_none()


def lock(conn: Connection, backfill_id: UUID) -> Row | None:
    """As `get`; nobody else changes it until the transaction ends."""
    query = select(backfills.c.id).where(backfills.c.id == backfill_id)
    conn.execute(query.with_for_update(key_share=True)).all()
    return get(conn, backfill_id)


def change(conn: Connection, backfill_id: UUID, **values: Any) -> None:
    """Set columns of a backfill."""
    conn.execute(update(backfills).where(backfills.c.id == backfill_id).values(**values))


def planned(
    conn: Connection, backfill_id: UUID, limit: int, newest_first: bool
) -> Sequence[datetime]:
    """The next instants in turn."""
    at = backfill_instants.c.due_at
    query = select(at).where(backfill_instants.c.backfill_id == backfill_id, _PLANNED)
    query = query.order_by(at.desc() if newest_first else at).limit(limit)
    return conn.execute(query).scalars().all()


def settle(
    conn: Connection, backfill_id: UUID, due_at: datetime, now: datetime, **values: Any
) -> None:
    """Say what became of an instant."""
    mine = (backfill_instants.c.backfill_id == backfill_id, backfill_instants.c.due_at == due_at)
    conn.execute(update(backfill_instants).where(*mine).values(entered_at=now, **values))


def drop_planned(conn: Connection, backfill_id: UUID, why: str, now: datetime) -> None:
    """What is planned does not run."""
    values = {"fate": BackfillFate.SKIPPED.value, "why": why, "entered_at": now}
    query = update(backfill_instants).where(backfill_instants.c.backfill_id == backfill_id)
    conn.execute(query.where(_PLANNED).values(**values))


def counts(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Backfill -> fate -> how many."""
    t = backfill_instants.c
    query = select(t.backfill_id, t.fate, func.count()).where(t.backfill_id.in_(ids))
    found: dict[UUID, dict[str, int]] = {}
    for backfill_id, fate, count in conn.execute(query.group_by(t.backfill_id, t.fate)):
        found.setdefault(backfill_id, {})[fate] = count
    return found


def active_runs(conn: Connection, backfill_id: UUID) -> Sequence[UUID]:
    """Its runs that have not ended."""
    t = backfill_instants.c
    query = select(runs.c.id).join(backfill_instants, t.run_id == runs.c.id)
    query = query.where(t.backfill_id == backfill_id, runs.c.state.in_(ACTIVE_RUNS))
    return conn.execute(query).scalars().all()


def ran(
    conn: Connection, schedule_id: UUID, begin: datetime, end: datetime, succeeded: bool
) -> set[datetime]:
    """Instants of a span with a run: any, or one that has succeeded or may still do so.

    Or that get one: by a backfill that goes on, or after the run before.
    """
    query = select(runs.c.due_at).where(
        runs.c.schedule_id == schedule_id,
        runs.c.due_at >= begin,
        runs.c.due_at < end,
        runs.c.trigger.in_(("schedule", "backfill")),
    )
    if succeeded:
        query = query.where(runs.c.state.in_(("succeeded", *ACTIVE_RUNS)))
    t, waits = backfill_instants.c, ledger.c.fate == Fate.QUEUED.value
    planned = select(t.due_at).where(t.schedule_id == schedule_id, _PLANNED)
    queued = select(ledger.c.first_due).where(ledger.c.schedule_id == schedule_id, waits)
    coming = (
        planned.where(t.due_at >= begin, t.due_at < end),
        queued.where(ledger.c.first_due >= begin, ledger.c.first_due < end),
    )
    return {at for one in (query, *coming) for at in conn.execute(one).scalars()}


def instants(backfill_id: UUID | None = None, schedule_id: UUID | None = None) -> Select[Any]:
    """The instants of one backfill, or of all of a schedule."""
    query = select(backfill_instants)
    if backfill_id is not None:
        query = query.where(backfill_instants.c.backfill_id == backfill_id)
    if schedule_id is not None:
        query = query.where(backfill_instants.c.schedule_id == schedule_id)
    return query


def made_up(
    conn: Connection, schedule_id: UUID, begin: datetime | None, end: datetime | None
) -> Sequence[Row]:
    """Instants of [begin, end) that backfills have run, oldest first."""
    t = backfill_instants.c
    query = instants(schedule_id=schedule_id).where(t.fate == BackfillFate.RAN.value)
    query = query if begin is None else query.where(t.due_at >= begin)
    query = query if end is None else query.where(t.due_at < end)
    return conn.execute(query.order_by(t.due_at, t.entered_at)).mappings().all()
