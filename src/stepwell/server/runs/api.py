"""Routes of the room for people: /workflows/{group}/{workflow}/runs and /runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime

from stepwell.server.access.records import Role
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import runs
from stepwell.server.http import Call, Page, Pages, Router, reads, writes
from stepwell.server.runs import output as outputs
from stepwell.server.runs import results, service
from stepwell.server.runs.records import (
    Cancellation,
    NewRun,
    Output,
    Repeat,
    Run,
    RunDetail,
    RunState,
    RunStep,
)
from stepwell.server.search import service as search
from stepwell.server.search.records import FoundRuns, Q

router = Router(tags=["runs"])

Viewing = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


@router.post("/workflows/{group}/{workflow}/runs", status_code=201)
def run_now(call: Operating, group: str, workflow: str, body: NewRun) -> Run:
    """Start a run of the released workflow."""
    by = call.user.name
    made = service.start_run(
        call.conn,
        call.db,
        group=group,
        workflow=workflow,
        parameters=body.parameters,
        trigger="request",
        requested_by=by,
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
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    q: Q = "",
) -> FoundRuns:
    """Runs, newest first; all that is given must hold."""
    values = {"group_name": group, "workflow": workflow, "trigger": trigger}
    ids = {"schedule_id": schedule_id, "repeat_of": repeat_of}
    wanted = {**values, **ids}
    given = [search.equal(name, value) for name, value in wanted.items() if value is not None]
    given += [search.equal("state", *state)] if state else []
    given += [] if since is None else [search.bound(runs.c.created_at >= since)]
    given += [] if until is None else [search.bound(runs.c.created_at < until)]
    return search.found(call.conn, q, pages, by=call.user.name, given=given)


@router.get("/runs/{run_id}")
def show_run(call: Viewing, run_id: UUID) -> RunDetail:
    """A run and its attempts, with the instants of their phases (R40)."""
    return service.detail(call.conn, run_id)


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
