"""Start, repeat, cancel and look up runs. Watching over them is in `supervision`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import Conflict
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.groups import service as groups
from stepwell.server.paging import Page, Paging
from stepwell.server.runs import approvals, labels, queries, removing, results, slots, waits
from stepwell.server.runs.approvals import OPERATIONS, Approval
from stepwell.server.runs.approvals import asked as asked_of
from stepwell.server.runs.closing import close_cancelled, end_ready
from stepwell.server.runs.headers import RunNotFound, fields, found, get, shown
from stepwell.server.runs.judgement import operation_of
from stepwell.server.runs.limits import RunLimit
from stepwell.server.runs.limits import listed as limits_in_use
from stepwell.server.runs.limits import move as move_limit
from stepwell.server.runs.observing import Observed, observe
from stepwell.server.runs.phases import phases, totals
from stepwell.server.runs.queries import limit as limit_set
from stepwell.server.runs.records import (
    PRIORITIES,
    Attempt,
    Cancellation,
    ReleaseBrief,
    Repeat,
    Run,
    RunChange,
    RunDetail,
    RunState,
    RunStep,
)
from stepwell.server.runs.reexecution import Reexecution
from stepwell.server.runs.reexecution import start as reexecute
from stepwell.server.runs.reproducing import command
from stepwell.server.runs.starting import (
    DEADLINE,
    Starts,
    WorkflowNotReleased,
    check_parameters,
    insert_run,
    released,
)
from stepwell.server.runs.waking import SUPERVISE, activate_supervisor
from stepwell.server.runs.wishes import NO_WISHES, Wishes
from stepwell.server.services import Services
from stepwell.step import EndedAs, Step, StepQuery

__all__ = [
    "DEADLINE",
    "OPERATIONS",
    "SUPERVISE",
    "Observed",
    "Reexecution",
    "RunLimit",
    "RunNotFound",
    "Starts",
    "WorkflowNotReleased",
    "activate_supervisor",
    "asked_of",
    "check_parameters",
    "found",
    "get",
    "insert_run",
    "limit_set",
    "limits_in_use",
    "move_limit",
    "reexecute",
    "released",
    "shown",
]


class RunEnded(Conflict):
    """The run has ended, so it cannot be cancelled."""

    code = "run-ended"


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
    wishes: Wishes = NO_WISHES,
    starts: Starts | None = None,
) -> UUID:
    """Insert a run: its header, its first operation and its supervising step (R33).

    All in the caller's transaction; nothing is inserted if it raises.

    Parameters
    ----------
    trigger : what began it: 'schedule', 'request', 'repeat' or 'trial'.
    due_at : when it should have begun, aware; None is now.
    pinned : release_id, workflow, digest and entry, instead of the current release's.
    trial : what marks it as a trial, see `records.Trial`.
    wishes : its labels, its place in line, its deadline.
    starts : takes the run, for the caller to write with others; None writes it now.

    Raises
    ------
    GroupNotFound, GroupArchived, WorkflowNotReleased, ParametersInvalid, ValueTooLarge.
    """
    mine = Starts(conn, db) if starts is None else starts
    release = mine.released(group, workflow) if pinned is None else pinned
    check_parameters(workflow, release["entry"], parameters)
    run_id = new_id()
    values = {
        "id": run_id,
        "group_name": group,
        "parameters": dict(parameters),
        "trigger": trigger,
        "requested_by": requested_by,
        "schedule_id": schedule_id,
        "repeat_of": repeat_of,
        "due_at": due_at,
        "trial": trial,
    }
    mine.add(release, values, wishes)
    if starts is None:
        mine.write()
    return run_id


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
        wishes=Wishes(labels=row["labels"] or {}, priority=PRIORITIES[row["band"]]),
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
    after = found(queries.get(conn, run_id), run_id)
    told = audit.sides(row, after, "state", "reason")
    audit.record(conn, by, "run.cancel", str(run_id), asked.reason, {"force": asked.force}, **told)
    return shown(after)


def decide(conn: Connection, db: Database, run_id: UUID, given: Approval, *, by: str) -> Run:
    """Answer the operation that waits for a reviewer; raises `RunNotFound`, `NothingToApprove`."""
    approvals.decide(conn, db, found(queries.lock(conn, run_id), run_id), given, by=by)
    return get(conn, run_id)


def change(conn: Connection, db: Database, run_id: UUID, asked: RunChange, *, by: str) -> Run:
    """Set the labels of a run, or its place in line; raises `RunNotFound`."""
    row = found(queries.lock(conn, run_id), run_id)
    before: dict[str, Any] = {}
    if asked.labels is not None:
        before["labels"] = row["labels"] or {}
        labels.put(conn, run_id, asked.labels)
    if asked.priority is not None:
        before["priority"] = PRIORITIES[row["band"]]
        queries.change(conn, run_id, band=PRIORITIES.index(asked.priority))
        slots.wake_next(conn, db.steps(conn))
    after = {name: getattr(asked, name) for name in before}
    told = {"before": before, "after": after}
    audit.record(conn, by, "run.change", str(run_id), asked.reason, **told)
    return get(conn, run_id)


def detail(conn: Connection, run_id: UUID) -> RunDetail:
    """A run with its attempts, and where its time went; raises `RunNotFound`."""
    row = found(queries.get(conn, run_id), run_id)
    attempts = queries.attempts_of(conn, run_id)
    pieces = phases(row, attempts, clock.now())
    number, current = queries.release_of(conn, row)
    return RunDetail(
        **fields(row) | {"waiting": waits.fresh(conn, row)},
        attempts=[_attempt(one) for one in attempts],
        phases=pieces,
        totals=totals(pieces),
        reproduce=command(groups.get(conn, row["group_name"]), row),
        operations=queries.operations(conn, row),
        release=ReleaseBrief(number=number if number > 0 else None, current=current),
    )


def observed(conn: Connection, services: Services, run_id: UUID) -> Observed:
    """A run with its open attempt, its rows and its launcher's word; raises `RunNotFound`."""
    return observe(conn, services, found(queries.get(conn, run_id), run_id))


def check_workflow(conn: Connection, group: str, workflow: str) -> None:
    """The group's release has it; raises `GroupNotFound`, `WorkflowNotReleased`."""
    released(conn, group, workflow)


def last_state(conn: Connection, group: str, workflow: str) -> str | None:
    """How the last run ended that was not cancelled; None without any."""
    return queries.last_state(conn, group, workflow, (RunState.SUCCEEDED, RunState.FAILED))


def remove_ended(conn: Connection, group: str, limit: int) -> int:
    """Remove runs of a group that have ended, and what is part of them; how many.

    Their reports must be gone.
    """
    return removing.ended_of_group(conn, group, limit)


def steps(conn: Connection, db: Database, run_id: UUID, pages: Paging) -> Page[RunStep]:
    """The run's operations, in the order in which they came to be."""
    found(queries.get(conn, run_id), run_id)
    after, limit = pages.after_id(), pages.limit + 1
    query = StepQuery(flow_id=run_id, oldest_first=True, after=after, limit=limit)
    return pages.of_steps(db.steps(conn).search(query), _step)


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
        reused=step.copy_of is not None and step.execution_count == 0,
    )
