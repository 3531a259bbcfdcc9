"""Counts and short lists over the tables of several rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from sqlalchemy import Connection, RowMapping, func, select

from stepwell.server.database.tables import runs, schedules, sources

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


def in_states(conn: Connection, states: Sequence[str], limit: int) -> list[RowMapping]:
    """The oldest runs of some open states.

    A look for each: asked for several at once, SQLite reads all runs in their order, and
    among a million it may have to read them to the last.
    """
    key = [runs.c.created_at, runs.c.id]
    looks = [
        select(runs).where(runs.c.state == state).order_by(*key).limit(limit) for state in states
    ]
    rows = [row for look in looks for row in conn.execute(look).mappings()]
    return sorted(rows, key=lambda row: (row["created_at"], row["id"]))[:limit]


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


def scans(conn: Connection) -> Sequence[RowMapping]:
    """name, created_at, scan_every, scanned_at, scan_error of every source of images."""
    t = sources.c
    query = select(t.name, t.created_at, t.scan_every, t.scanned_at, t.scan_error)
    return conn.execute(query.order_by(t.name)).mappings().all()


def usual(conn: Connection, group: str, workflow: str) -> float | None:
    """Seconds: the median of the last twenty good runs of a workflow."""
    query = (
        select(runs.c.started_at, runs.c.finished_at)
        .where(runs.c.workflow == workflow, runs.c.state == "succeeded")
        .where(runs.c.group_name == group, runs.c.started_at.is_not(None))
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
        .limit(20)
    )
    took = [(end - begin).total_seconds() for begin, end in conn.execute(query)]
    return median(took) if took else None
