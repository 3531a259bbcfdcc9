"""Routes of the room for people: /workflows/{group}/{workflow}/runs and /runs."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime

from stepwell.server.access.records import Role
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import runs
from stepwell.server.http import Call, Page, Pages, Router, reads, writes
from stepwell.server.runs import comparing, labels, limits, reexecution, results, service, trying
from stepwell.server.runs import output as outputs
from stepwell.server.runs.approvals import Approval
from stepwell.server.runs.comparing import Changes, Comparison
from stepwell.server.runs.limits import Kind, NewLimit, RunLimit, RunLimits
from stepwell.server.runs.records import (
    Cancellation,
    NewRun,
    Output,
    Repeat,
    Run,
    RunChange,
    RunDetail,
    RunState,
    RunStep,
    WaitingCode,
)
from stepwell.server.runs.reexecution import Reexecution, ReexecutionPlan
from stepwell.server.runs.trying import RunPlan
from stepwell.server.runs.wishes import Wishes
from stepwell.server.search import service as search
from stepwell.server.search.records import FoundRuns, Q

router = Router(tags=["runs"])

Viewing = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]
Reviewing = Annotated[Call, writes(Role.REVIEWER)]
Planned: TypeAlias = Annotated[RunPlan | None, Depends(trying.asked)]
Preview: TypeAlias = Annotated[bool, Query(description="only say what would be done")]


@router.post("/workflows/{group}/{workflow}/runs", status_code=201)
def run_now(
    call: Operating, answer: Response, group: str, workflow: str, body: NewRun, plan: Planned
) -> Run | RunPlan:
    """Start a run of the released workflow; `dry_run` says what would be started."""
    if plan is not None:
        answer.status_code = 200
        return plan
    by = call.user.name
    made = service.start_run(
        call.conn,
        call.db,
        group=group,
        workflow=workflow,
        parameters=body.parameters,
        trigger="request",
        requested_by=by,
        wishes=Wishes(body.labels, body.priority, body.deadline),
    )
    details = {"run": str(made)}
    audit.record(call.conn, by, "run.start", f"{group}/{workflow}", body.reason, details)
    return service.get(call.conn, made)


@router.get("/runs")
def list_runs(
    call: Viewing,
    pages: Pages,
    state: Annotated[list[RunState] | None, Query()] = None,
    group: str | None = None,
    workflow: str | None = None,
    trigger: str | None = None,
    schedule_id: UUID | None = None,
    repeat_of: UUID | None = None,
    reexecution_of: UUID | None = None,
    pool: str | None = None,
    waiting: WaitingCode | None = None,
    label: Annotated[
        list[str] | None, Query(description="key:value, or key; all of them must be there")
    ] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    q: Q = "",
) -> FoundRuns:
    """Runs, newest first; all that is given must hold."""
    wanted: dict[str, Any] = {"group_name": group, "workflow": workflow, "trigger": trigger}
    wanted |= {"schedule_id": schedule_id, "repeat_of": repeat_of, "pool": pool}
    wanted |= {"reexecution_of": reexecution_of, "waiting_code": waiting}
    given = [search.equal(name, value) for name, value in wanted.items() if value is not None]
    given += [search.in_states(*state)] if state else []
    given += [search.holds(one) for one in labels.having(label or [])]
    given += [] if since is None else [search.bound(runs.c.created_at >= since)]
    given += [] if until is None else [search.bound(runs.c.created_at < until)]
    return search.found(call.conn, q, pages, by=call.user.name, given=given)


@router.get("/runs/{run_id}")
def show_run(call: Viewing, run_id: UUID) -> RunDetail:
    """A run and its attempts, with the instants of their phases (R40)."""
    return service.detail(call.conn, run_id)


@router.patch("/runs/{run_id}")
def change_run(call: Operating, run_id: UUID, body: RunChange) -> Run:
    """Set its labels, or its place in line for a slot."""
    return service.change(call.conn, call.db, run_id, body, by=call.user.name)


@router.get("/runs/{run_id}/changes")
def show_changes(call: Viewing, run_id: UUID) -> Changes:
    """What changed since the last success of its workflow."""
    return comparing.changes(call.conn, call.db, run_id)


@router.get("/runs/{run_id}/compare/{other_id}")
def compare_runs(call: Viewing, run_id: UUID, other_id: UUID) -> Comparison:
    """Two runs beside each other."""
    return comparing.compare(call.conn, call.db, run_id, other_id)


@router.get("/runs/{run_id}/steps")
def list_steps(call: Viewing, pages: Pages, run_id: UUID) -> Page[RunStep]:
    """The operations of a run with their results, in the order in which they came to be."""
    return service.steps(call.conn, call.db, run_id, pages)


@router.get("/runs/{run_id}/steps/{step_id}/result", response_class=Response)
def show_result(call: Viewing, run_id: UUID, step_id: UUID) -> Response:
    """The result of an operation as JSON, also one that is too large for its row (R4)."""
    found = results.content(call.conn, call.db, call.services.blobs, run_id, step_id)
    return Response(found, media_type="application/json")


@router.get("/runs/{run_id}/output")
def show_output(call: Viewing, run_id: UUID, attempt: int | None = None) -> Output:
    """What an attempt has written; the newest one by default."""
    return outputs.read(call.conn, call.services, run_id, attempt)


@router.post("/runs/{run_id}/repeats", status_code=201)
def repeat_run(call: Operating, run_id: UUID, body: Repeat) -> Run:
    """Start the workflow again, with the same or edited parameters (R41)."""
    return service.repeat(call.conn, call.db, run_id, body, by=call.user.name)


@router.post("/runs/{run_id}/cancellations", status_code=202)
def cancel_run(call: Operating, run_id: UUID, body: Cancellation) -> Run:
    """Cancel; the run is cancelled when its container has stopped, or at once by force (R34)."""
    return service.cancel(call.conn, call.db, run_id, body, by=call.user.name)


@router.post("/runs/{run_id}/reexecutions", status_code=201)
def reexecute_run(
    call: Operating, answer: Response, run_id: UUID, body: Reexecution, preview: Preview = False
) -> Run | ReexecutionPlan:
    """Do again what the run has not done, as a new run; `preview` says what would be."""
    if preview:
        answer.status_code = 200
        return reexecution.plan(call.conn, call.db, run_id, body)
    return reexecution.start(call.conn, call.db, run_id, body, by=call.user.name)


@router.post("/runs/{run_id}/approvals", status_code=202)
def answer_approval(call: Reviewing, run_id: UUID, body: Approval) -> Run:
    """Let the operation that waits for a reviewer go on, or fail it."""
    return service.decide(call.conn, call.db, run_id, body, by=call.user.name)


# -- limits ------------------------------------------------------------------------


@router.get("/run-limits")
def list_limits(call: Viewing) -> RunLimits:
    """How many runs go on at once, by pool, group and workflow, and who holds the slots."""
    return limits.listed(call.conn)


@router.post("/run-limits")
def set_limit(call: Operating, body: NewLimit) -> RunLimit:
    """Set a limit, or change it."""
    return limits.put(call.conn, call.db, body, by=call.user.name)


@router.delete("/run-limits", status_code=204)
def remove_limit(call: Operating, kind: Kind, name: str, reason: str | None = None) -> None:
    """What the source declares counts again."""
    limits.drop(call.conn, call.db, kind, name, reason, by=call.user.name)
