"""The watch: one singleton step that looks for late ticks, for runs whose container does not
begin, and for runs that take too long.

It is not the tick, so it also speaks while the tick is stuck. Where no server runs at
all nobody speaks; the first tick after that tells what was late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Exists, select

from stepwell.outcome import Outcome, rerun
from stepwell.registry import Registry
from stepwell.server.database.tables import attempts, runs, schedule_alerts, schedules
from stepwell.server.schedules.alerts import service as alerts
from stepwell.server.schedules.alerts.service import Finding
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.queries import Row
from stepwell.server.services import RETRY, Services

WATCH: Final = "v1/server/watch-schedules"
EVERY: Final = timedelta(seconds=15)

BEGIN_WITHIN: Final = timedelta(minutes=15)
"""A container that has not begun by then is told of: its image may be gone, a secret missing,
the cluster full. It is still tried, up to the deadline of its run."""

NEAR: Final = 0.8
"""Of a run without a limit of its own it is told when so much of its deadline is used up."""

_MOST: Final = 500
_GOING_ON: Final = ("starting", "running", "cancelling")


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/watch-schedules`."""

    def handler() -> Outcome:
        look(services)
        return rerun(after=EVERY)

    registry.add(handler, WATCH, retry=RETRY)


def seed(conn: Connection, services: Services) -> None:
    """There is always one watch."""
    services.ensure(conn, WATCH)


def look(services: Services) -> int:
    """Tell of what is late or takes too long, once each; how many were new."""
    with services.db.read() as conn:
        now = now_of(conn, services.clock)
        found = [*_late(conn, services, now), *_not_begun(conn, now), *_too_long(conn, now)]
        is_open = conn.execute(_open_runs()).first() is not None
    if not found and not is_open:
        return 0
    with services.db.write() as conn:
        alerts.end_of_runs(conn, now)
        return sum(alerts.tell(conn, services.db, one, now) for one in found)


def _open_runs() -> Any:
    t = schedule_alerts
    return select(t.c.id).where(t.c.over_at.is_(None), t.c.run_id.is_not(None)).limit(1)


def _late(conn: Connection, services: Services, now: datetime) -> Iterator[Finding]:
    query = (
        select(schedules)
        .where(schedules.c.active, schedules.c.next_due <= now, schedules.c.paused_at.is_(None))
        .order_by(schedules.c.next_due)
        .limit(_MOST)
    )
    default = services.settings.schedule_late_after
    for row in conn.execute(query).mappings().all():
        own = row["late_after"]
        grace = timedelta(seconds=default if own is None else own)
        if now - row["next_due"] > grace:
            yield alerts.late(row, row["next_due"], now)


def _not_begun(conn: Connection, now: datetime) -> Iterator[Finding]:
    own = (attempts.c.run_id == runs.c.id) & (attempts.c.number == runs.c.attempt)
    query = (
        select(runs, attempts.c.queued_at, attempts.c.condition, attempts.c.launch_condition)
        .join(attempts, own)
        .where(runs.c.state == "starting", attempts.c.started_at.is_(None), ~_told("late"))
        .where(attempts.c.queued_at < now - BEGIN_WITHIN)
        .order_by(attempts.c.queued_at)
        .limit(_MOST)
    )
    for run in conn.execute(query).mappings().all():
        yield alerts.not_begun(run, now)


def _too_long(conn: Connection, now: datetime) -> Iterator[Finding]:
    for run in _going_on(conn):
        limit, whose = _limit(run)
        if (now - run["started_at"]).total_seconds() > limit:
            yield alerts.too_long(run, limit, whose, now)


def _limit(run: Row) -> tuple[float, str]:
    """The schedule's limit; else most of the deadline that its workflow sets."""
    if run["too_long_after"] is not None:
        return run["too_long_after"], "its schedule's limit"
    span = (run["deadline_at"] - run["created_at"]).total_seconds()
    return NEAR * span, f"{NEAR:.0%} of its workflow's deadline, the limit"


def _going_on(conn: Connection) -> Sequence[Row]:
    query = (
        select(runs, schedules.c.too_long_after)
        .outerjoin(schedules, schedules.c.id == runs.c.schedule_id)
        .where(runs.c.state.in_(_GOING_ON), runs.c.started_at.is_not(None), ~_told("too-long"))
        .order_by(runs.c.created_at)
        .limit(10_000)
    )
    return conn.execute(query).mappings().all()


def _told(kind: str) -> Exists:
    """Whether this was told of the run of the query around it."""
    t = schedule_alerts
    return select(t.c.id).where(t.c.run_id == runs.c.id, t.c.kind == kind).exists()
