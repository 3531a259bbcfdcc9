"""Start, repeat, cancel and look up runs. Watching over them is in `supervision`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import Conflict, NotFound
from stepwell.events import emit
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.groups import service as groups
from stepwell.server.paging import Page, Paging
from stepwell.server.runs import parameters as fit
from stepwell.server.runs import queries, results
from stepwell.server.runs.closing import close_cancelled, end_ready
from stepwell.server.runs.judgement import operation_of, step_name
from stepwell.server.runs.observing import Observed, observe
from stepwell.server.runs.records import (
    Attempt,
    Cancellation,
    Repeat,
    Run,
    RunDetail,
    RunState,
    RunStep,
)
from stepwell.server.services import QUEUE, Services
from stepwell.step import EndedAs, Step, StepQuery, StepStatus, new_step
from stepwell.stores.protocol import Transaction

SUPERVISE: Final = "v1/server/supervise"
OPERATIONS: Final = "runs"
"""The queue of operations; claimed only by flow (R36)."""

DEADLINE: Final = 24 * 60 * 60.0
"""Seconds that a run may take, unless its workflow says otherwise (R3)."""


class RunNotFound(NotFound):
    """No run has this id."""

    code = "run-not-found"


class RunEnded(Conflict):
    """The run has ended, so it cannot be cancelled."""

    code = "run-ended"


class WorkflowNotReleased(NotFound):
    """The group's current release has no such workflow (R37)."""

    code = "workflow-not-released"


def start_run(
    conn: Connection,
    db: Database,
    *,
    group: str,
    workflow: str,
    parameters: Mapping[str, Any],
    trigger: str,
    requested_by: str,
    schedule_id: UUID | None = None,
    due_at: datetime | None = None,
    repeat_of: UUID | None = None,
    pinned: Mapping[str, Any] | None = None,
    trial: Mapping[str, Any] | None = None,
) -> UUID:
    """Insert a run: its header, its first operation and its supervising step (R33).

    All in the caller's transaction; nothing is inserted if it raises.

    Parameters
    ----------
    trigger : what began it: 'schedule', 'request', 'repeat' or 'trial'.
    due_at : when it should have begun, aware; None is now.
    pinned : release_id, workflow, digest and entry, instead of the current release's.
    trial : what marks it as a trial, see `records.Trial`.

    Raises
    ------
    GroupNotFound, GroupArchived, WorkflowNotReleased, ParametersInvalid, ValueTooLarge.
    """
    release = _released(conn, group, workflow) if pinned is None else pinned
    check_parameters(workflow, release["entry"], parameters)
    now, run_id = clock.now(), new_id()
    steps = _first_steps(run_id, group, workflow, release["entry"], parameters)
    additions = [seal(step, JSON, now) for step in steps]
    queries.add(
        conn,
        id=run_id,
        group_name=group,
        parameters=dict(parameters),
        trigger=trigger,
        requested_by=requested_by,
        schedule_id=schedule_id,
        repeat_of=repeat_of,
        due_at=due_at or now,
        trial=trial,
        **_fresh(release, now),
    )
    db.steps(conn).add(additions)
    emit("run.created", run=run_id, group=group, workflow=workflow, trigger=trigger)
    return run_id


def check_parameters(
    workflow: str, entry: Mapping[str, Any], parameters: Mapping[str, Any]
) -> None:
    """The parameters fit the workflow's entry of its manifest; raises `ParametersInvalid`."""
    fit.check(workflow, entry.get("parameters") or {}, parameters)


def _fresh(release: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    """What every new header says; the release is pinned for all attempts (R37)."""
    seconds = release["entry"].get("deadline") or DEADLINE
    return {
        "workflow": release["workflow"],
        "release_id": release["release_id"],
        "digest": release["digest"],
        "state": RunState.WAITING,
        "created_at": now,
        "deadline_at": now + timedelta(seconds=seconds),
        "attempt": 0,
        "warnings": 0,
    }


def _released(conn: Connection, group: str, workflow: str) -> RowMapping:
    if groups.get(conn, group).archived_at is not None:
        groups.active(conn, group)
    found = queries.released(conn, group, workflow)
    if found is not None:
        return found
    known = queries.workflow_names(conn, group)
    raise WorkflowNotReleased(
        f"The group {group!r} has no released workflow {workflow!r}.",
        why=f"Its release has {', '.join(known)}." if known else "It has no release yet.",
        fix="Correct the name, or approve the workflow: `stepwell groups review`.",
    )


def _first_steps(
    run_id: UUID, group: str, workflow: str, entry: Mapping[str, Any], given: Mapping[str, Any]
) -> list[Any]:
    """The first operation, and the supervising step in a flow of its own."""
    first = step_name(group, workflow, entry["operations"][0]["name"])
    state = {"parameters": dict(given)}
    key = str(run_id)
    return [
        new_step(first, state, queue=OPERATIONS, flow_id=run_id, correlation_id=key),
        new_step(SUPERVISE, {"run_id": key}, queue=QUEUE, unique_key=key, correlation_id=key),
    ]


def repeat(conn: Connection, db: Database, run_id: UUID, asked: Repeat, *, by: str) -> Run:
    """Start the workflow's current release again, with the same or other parameters (R41)."""
    row = found(queries.get(conn, run_id), run_id)
    values = row["parameters"] if asked.parameters is None else asked.parameters
    made = start_run(
        conn,
        db,
        group=row["group_name"],
        workflow=row["workflow"],
        parameters=values,
        trigger="repeat",
        requested_by=by,
        repeat_of=run_id,
    )
    audit.record(conn, by, "run.repeat", str(run_id), asked.reason, {"run": str(made)})
    return shown(found(queries.get(conn, made), made))


def cancel(conn: Connection, db: Database, run_id: UUID, asked: Cancellation, *, by: str) -> Run:
    """Cancel: token revoked, unclaimed operations ended, the launcher asked to stop (R34).

    The run is *cancelled* when the launcher has confirmed that, or at once with `force`.

    Raises
    ------
    RunNotFound, RunEnded.
    """
    row = found(queries.lock(conn, run_id), run_id)
    if RunState(row["state"]).ended:
        raise RunEnded(
            f"The run {run_id} has {row['state']}.", fix="Repeat it to run its workflow again."
        )
    tx, now = db.steps(conn), clock.now()
    reason = asked.reason or f"Cancelled by {by}."
    queries.change(conn, run_id, state=RunState.CANCELLING, reason=reason)
    queries.change_attempt(conn, run_id, row["attempt"], revoked_at=now)
    end_ready(tx, run_id, EndedAs.CANCELLED, reason, claimed=None if asked.force else False)
    if asked.force:
        close_cancelled(conn, tx, found(queries.get(conn, run_id), run_id))
    activate_supervisor(tx, run_id)
    audit.record(conn, by, "run.cancel", str(run_id), asked.reason, {"force": asked.force})
    return shown(found(queries.get(conn, run_id), run_id))


def activate_supervisor(tx: Transaction, run_id: UUID) -> None:
    """Have the run's supervising step look again, in the caller's transaction."""
    query = StepQuery(name=SUPERVISE, unique_key=str(run_id), status=StepStatus.READY, limit=1)
    for step in tx.search(query):
        tx.activate(step.id, None, None)


def detail(conn: Connection, run_id: UUID) -> RunDetail:
    """A run with its attempts; raises `RunNotFound`."""
    row = found(queries.get(conn, run_id), run_id)
    attempts = [_attempt(one) for one in queries.attempts_of(conn, run_id)]
    return RunDetail(**_fields(row), attempts=attempts)


def observed(conn: Connection, services: Services, run_id: UUID) -> Observed:
    """A run with its open attempt, its rows and its launcher's word; raises `RunNotFound`."""
    return observe(conn, services, found(queries.get(conn, run_id), run_id))


def get(conn: Connection, run_id: UUID) -> Run:
    """A run's header; raises `RunNotFound`."""
    return shown(found(queries.get(conn, run_id), run_id))


def check_workflow(conn: Connection, group: str, workflow: str) -> None:
    """The group's release has it; raises `GroupNotFound`, `WorkflowNotReleased`."""
    _released(conn, group, workflow)


def last_state(conn: Connection, group: str, workflow: str) -> str | None:
    """How the last run ended that was not cancelled; None without any."""
    return queries.last_state(conn, group, workflow, (RunState.SUCCEEDED, RunState.FAILED))


def steps(conn: Connection, db: Database, run_id: UUID, pages: Paging) -> Page[RunStep]:
    """The run's operations, in the order in which they came to be."""
    found(queries.get(conn, run_id), run_id)
    after, limit = pages.after_id(), pages.limit + 1
    query = StepQuery(flow_id=run_id, oldest_first=True, after=after, limit=limit)
    return pages.of_steps(db.steps(conn).search(query), _step)


def found(row: RowMapping | None, run_id: UUID) -> RowMapping:
    """The row itself; raises `RunNotFound` for None."""
    if row is None:
        raise RunNotFound(f"There is no run {run_id}.", fix="See `stepwell runs list`.")
    return row


def shown(row: RowMapping) -> Run:
    """A header as it is shown."""
    return Run(**_fields(row))


def _fields(row: RowMapping) -> dict[str, Any]:
    return {"group": row["group_name"], **{k: v for k, v in row.items() if k != "group_name"}}


def _attempt(row: RowMapping) -> Attempt:
    return Attempt(**{name: row[name] for name in Attempt.model_fields})


def _step(step: Step) -> RunStep:
    return RunStep(
        id=step.id,
        operation=operation_of(step),
        status=step.status,
        ended_as=step.ended_as,
        description=step.description,
        **results.shown(step),
        claimed=step.claimed_by is not None,
        created_at=step.created_at,
        due_at=step.schedule_time,
        started_at=step.execution_started_at,
        ended_at=step.ended_at,
        duration=step.execution_duration,
        executions=step.execution_count,
        failures=step.failure_count,
        lost=step.lost_count,
        executed_by=step.executed_by,
        copy_of=step.copy_of,
    )
