"""Run what is not due: now, or an instant that did not run when it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.schedules.base import iso
from stepwell.schedules.ledger import Fate
from stepwell.server.audit import service as audit
from stepwell.server.runs import service as runs
from stepwell.server.schedules import errors, queries
from stepwell.server.schedules.backfills import queries as backfill_queries
from stepwell.server.schedules.backfills import service as backfills
from stepwell.server.schedules.backfills import steps as backfill_steps
from stepwell.server.schedules.backfills.records import Fired, NewBackfill, NewFire, Which
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.queries import Row
from stepwell.server.services import Services

_INSTANT: Final = timedelta(microseconds=1)
_DID_NOT_RUN: Final = (Fate.MISSED, Fate.SKIPPED, Fate.BLOCKED)


def run_now(
    conn: Connection,
    services: Services,
    schedule_id: UUID,
    parameters: dict[str, Any] | None,
    *,
    by: str,
) -> UUID:
    """Start a run of the schedule's workflow, whatever its due instants and policies say.

    Raises
    ------
    ScheduleNotFound, ScheduleInactive, and what `runs.service.start_run` raises.
    """
    row = changing.active(changing.found(queries.get(conn, schedule_id), schedule_id))
    run_id = runs.start_run(
        conn,
        services.db,
        group=row["group_name"],
        workflow=row["workflow"],
        parameters=row["parameters"] if parameters is None else parameters,
        trigger="request",
        requested_by=by,
        schedule_id=schedule_id,
    )
    audit.record(conn, by, "schedule.run", changing.target(row), None, {"run": str(run_id)})
    return run_id


def fire(
    conn: Connection, services: Services, schedule_id: UUID, asked: NewFire, *, by: str
) -> Fired:
    """Run one instant of the ledger that did not run: a backfill of that instant alone.

    Raises
    ------
    ScheduleNotFound, ScheduleInactive, FireUnknown, FireRan, ParametersInvalid, and what
    `runs.service.start_run` raises.
    """
    row = changing.active(changing.found(queries.lock(conn, schedule_id), schedule_id))
    due_at = asked.due_at
    _expect_unrun(conn, row, due_at)
    begun = backfills.begin(
        conn,
        services,
        row,
        NewBackfill(
            begin=due_at,
            end=due_at + _INSTANT,
            which=Which.ALL,
            parameters=asked.parameters,
            reason=asked.reason or "Run by hand.",
        ),
        backfills.Plan([due_at], 0, []),
        by=by,
    )
    held = backfills.found(backfill_queries.lock(conn, begun.id), begun.id)
    now = now_of(conn, services.clock)
    return Fired(
        run_id=backfill_steps.start_one(conn, services, held, row, due_at, now),
        backfill_id=begun.id,
    )


def _expect_unrun(conn: Connection, row: Row, due_at: datetime) -> None:
    line = queries.line_at(conn, row["id"], due_at)
    if line is None or not _is_due(row, line, due_at):
        raise errors.FireUnknown(
            f"The ledger of {row['workflow']!r} has no due instant {iso(due_at)}.",
            fix="See `stepwell schedules ledger`; a backfill runs instants of before.",
        )
    made_up = backfill_queries.made_up(conn, row["id"], due_at, due_at + _INSTANT)
    if line["fate"] not in _DID_NOT_RUN or made_up:
        run_id = made_up[-1]["run_id"] if made_up else line["run_id"]
        raise errors.FireRan(
            f"The instant {iso(due_at)} has a run.",
            why=f"It is {run_id}." if run_id else "It waits for the run before.",
            fix="Repeat that run, or backfill with --which all.",
        )


def _is_due(row: Row, line: Row, due_at: datetime) -> bool:
    if due_at in (line["first_due"], line["last_due"]):
        return True
    return due_at in queries.spec_of(row).between(due_at, due_at + _INSTANT)
