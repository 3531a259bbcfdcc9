"""Routes: what a step's container reads and says, with its token; and a step's launches."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials
from starlette.requests import Request

from stepwell.server.access.records import Role
from stepwell.server.http import BEARER, Call, Router, reads, services_of, writes
from stepwell.server.jobs import service, tokens
from stepwell.server.jobs.records import JobCaller, StepAssignment, StepJob, StepOutcome

router = Router()


def container(
    request: Request,
    step_id: UUID,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> JobCaller:
    """The launch that the token speaks for; `Unauthenticated` without one."""
    secret = None if credentials is None else credentials.credentials
    return tokens.holder(services_of(request).settings.signing_key, step_id, secret)


Container = Annotated[Call, writes(container, keyed=False)]


@router.get("/steps/{step_id}/jobs", tags=["steps"])
def list_jobs(call: Annotated[Call, reads(Role.VIEWER)], step_id: UUID) -> list[StepJob]:
    """The launches of a step that runs in containers of its own, the newest first."""
    return service.listed(call.conn, step_id)


@router.post("/step-jobs/{step_id}/assignments", status_code=201, tags=["containers"])
def take_assignment(call: Container, step_id: UUID) -> StepAssignment:
    """The step that this container is to execute."""
    return service.assignment(call.conn, call.db.steps(call.conn), _caller(call))


@router.post("/step-jobs/{step_id}/outcomes", status_code=204, tags=["containers"])
def tell_outcome(call: Container, step_id: UUID, body: StepOutcome) -> None:
    """What the execution came to. It counts when the container has ended; saying it again is
    harmless."""
    service.take(call.conn, call.db.steps(call.conn), _caller(call), body.settlement)


def _caller(call: Call) -> JobCaller:
    assert isinstance(call.user, JobCaller)
    return call.user
