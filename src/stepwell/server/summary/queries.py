"""Counts and short lists over the tables of several rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from stepwell.server.database.tables import metrics_hourly, runs, schedules

OPEN = ("waiting", "starting", "running", "cancelling")


def of_schedules(conn: Connection, late_before: datetime) -> tuple[int, int, int]:
    """How many are in force, late, paused."""
    active = schedules.c.active.is_(True)
    paused = schedules.c.paused_at.is_not(None)
    counts = [
        select(func.count()).select_from(schedules).where(active, *more)
        for more in ((), (schedules.c.next_due < late_before,), (paused,))
    ]
    total, late, held = (conn.execute(one).scalar_one() for one in counts)
    return total, late, held


def of_runs(conn: Connection) -> dict[str, int]:
    """How many runs are in each open state."""
    query = select(runs.c.state, func.count()).where(runs.c.state.in_(OPEN)).group_by(runs.c.state)
    return {row[0]: row[1] for row in conn.execute(query)}


def in_states(conn: Connection, states: Sequence[str], limit: int) -> Sequence[RowMapping]:
    """The oldest runs of some open states."""
    key = [runs.c.created_at, runs.c.id]
    query = select(runs).where(runs.c.state.in_(states)).order_by(*key).limit(limit)
    return conn.execute(query).mappings().all()


def next_fires(conn: Connection, limit: int) -> Sequence[RowMapping]:
    """The schedules that are due next."""
    query = (
        select(schedules)
        .where(schedules.c.active.is_(True), schedules.c.paused_at.is_(None))
        .where(schedules.c.next_due.is_not(None))
        .order_by(schedules.c.next_due, schedules.c.id)
        .limit(limit)
    )
    return conn.execute(query).mappings().all()


def hours(conn: Connection, since: datetime) -> Sequence[Any]:
    """hour, succeeded, failed: of runs."""
    succeeded, failed = func.sum(metrics_hourly.c.succeeded), func.sum(metrics_hourly.c.failed)
    query = (
        select(metrics_hourly.c.hour, succeeded, failed)
        .where(metrics_hourly.c.operation == "", metrics_hourly.c.hour >= since)
        .group_by(metrics_hourly.c.hour)
        .order_by(metrics_hourly.c.hour)
    )
    return conn.execute(query).all()
