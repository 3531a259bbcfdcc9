"""The step that goes through a backfill: a few runs at a time, until none is left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.events import emit
from stepwell.outcome import Outcome, done, rerun
from stepwell.registry import Registry
from stepwell.server.runs import service as runs
from stepwell.server.schedules import queries as scheduled
from stepwell.server.schedules.backfills import queries
from stepwell.server.schedules.backfills.records import BackfillFate, BackfillState, Order
from stepwell.server.schedules.backfills.service import STEP, found
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.ledger.sheets import PASSING
from stepwell.server.schedules.ledger.writing import said
from stepwell.server.schedules.previews import durations
from stepwell.server.schedules.queries import BACKFILL, Row
from stepwell.server.services import RETRY, Services

SHORTEST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(seconds=15)
"""How soon it looks again whether a run has ended: a tenth of what runs take, within these."""


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/backfill`."""

    @registry.handler(STEP, retry=RETRY)
    def backfill(state: dict[str, Any]) -> Outcome:
        return move(services, UUID(state["backfill_id"]))


def move(services: Services, backfill_id: UUID) -> Outcome:
    """Start what may start now, in one transaction; done when nothing is left."""
    with services.db.write() as conn:
        row = found(queries.lock(conn, backfill_id), backfill_id)
        if row["state"] != BackfillState.RUNNING:
            return done(description=f"It was {row['state']}.")
        now = now_of(conn, services.clock)
        start_some(conn, services, row, now)
        counts = queries.counts(conn, [backfill_id]).get(backfill_id, {})
        left = counts.get(BackfillFate.PLANNED, 0)
        if left or queries.active_runs(conn, backfill_id):
            said = f"{row['instants'] - left} of {row['instants']} begun."
            return rerun(after=_again(conn, row, now, left), description=said)
        queries.change(conn, backfill_id, state=BackfillState.DONE.value, finished_at=now)
    emit("backfill.ended", backfill=str(backfill_id), counts=counts)
    return done(description=f"All {row['instants']} instants are accounted for.")


def start_some(conn: Connection, services: Services, row: Row, now: datetime) -> list[UUID]:
    """Start the next instants in turn, as many as concurrency and pace allow; their runs."""
    limit, next_start_at = _allowed(conn, row, now)
    newest_first = row["order"] == Order.NEWEST
    due = queries.planned(conn, row["id"], limit, newest_first) if limit > 0 else ()
    schedule = scheduled.get(conn, row["schedule_id"])
    assert schedule is not None, "schedules are never deleted"
    started = [_start(conn, services, row, schedule, at, now) for at in due]
    if due and row["per_minute"]:
        step = timedelta(seconds=60 / row["per_minute"]) * len(due)
        queries.change(conn, row["id"], next_start_at=max(next_start_at, now - SHORTEST) + step)
    return [run_id for run_id in started if run_id is not None]


def _allowed(conn: Connection, row: Row, now: datetime) -> tuple[int, datetime]:
    """How many may start, and since when the next one might have."""
    free = row["concurrency"] - len(queries.active_runs(conn, row["id"]))
    since = row["next_start_at"] or now
    if not row["per_minute"]:
        return free, since
    by_pace = int((now - since) / timedelta(seconds=60 / row["per_minute"])) + 1
    # A pause of the runs is not made up for by a burst: one second's worth at most.
    most = max(1, row["per_minute"] // 60)
    return min(free, by_pace if since <= now else 0, most), since


def _start(
    conn: Connection,
    services: Services,
    row: Row,
    schedule: Row,
    due_at: datetime,
    now: datetime,
) -> UUID | None:
    try:
        return start_one(conn, services, row, schedule, due_at, now)
    except PASSING:
        raise
    except Exception as error:
        values = {"fate": BackfillFate.BLOCKED.value, "why": said(error)}
        queries.settle(conn, row["id"], due_at, now, **values)
        return None


def start_one(
    conn: Connection,
    services: Services,
    row: Row,
    schedule: Row,
    due_at: datetime,
    now: datetime,
) -> UUID:
    """Start the run of one planned instant, and enter it; nothing is kept if it raises."""
    given = schedule["parameters"] if row["parameters"] is None else row["parameters"]
    with conn.begin_nested():
        run_id = runs.start_run(
            conn,
            services.db,
            group=schedule["group_name"],
            workflow=schedule["workflow"],
            parameters=given,
            trigger=BACKFILL,
            requested_by=row["requested_by"],
            schedule_id=schedule["id"],
            due_at=due_at,
        )
        queries.settle(conn, row["id"], due_at, now, fate=BackfillFate.RAN.value, run_id=run_id)
    return run_id


def _again(conn: Connection, row: Row, now: datetime, left: int) -> timedelta:
    seen = durations.observed(conn, row["group_name"], row["workflow"])
    look = timedelta(seconds=(seen.p50 or 0) / 10)
    soon = min(max(look, SHORTEST), LONGEST)
    if left and row["per_minute"]:
        soon = min(soon, max(SHORTEST, timedelta(seconds=60 / row["per_minute"])))
    return soon
