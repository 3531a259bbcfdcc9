"""Schedules that rest: a clock was ahead and was put back, and no instant runs twice.

Their books speak of instants that are still to come; nothing is due before those are past.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, ScalarSelect, case, func, select

from stepwell.schedules.ledger import Fate
from stepwell.server.database.tables import ledger, schedules

APART: Final = timedelta(seconds=60)
"""The clocks of servers may be so far apart without anybody's resting."""


def resting(conn: Connection, now: datetime) -> int:
    """How many schedules rest that are in force and not paused."""
    t = schedules.c
    on = (t.active.is_(True), t.paused_at.is_(None), t.next_due.is_not(None))
    query = select(func.count()).select_from(schedules).where(*on)
    return conn.execute(query.where(_entered_until() > now + APART)).scalar_one()


def rests_until(conn: Connection, schedule_id: UUID, now: datetime) -> datetime | None:
    """The latest instant that the schedule's book speaks of, if it is still to come."""
    query = select(_entered_until()).where(schedules.c.id == schedule_id)
    until: datetime | None = conn.execute(query).scalar_one_or_none()
    return until if until is not None and until > now + APART else None


def _entered_until() -> ScalarSelect[datetime]:
    """Up to where the book of a schedule of the query around it speaks."""
    mark = ledger.c.fate == Fate.CHANGED.value  # its last is what would have been due
    until = case((mark, ledger.c.first_due), else_=ledger.c.last_due)
    newest = select(until).where(ledger.c.schedule_id == schedules.c.id)
    newest = newest.order_by(ledger.c.first_due.desc()).limit(1)
    return newest.correlate(schedules).scalar_subquery()
