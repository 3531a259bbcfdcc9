"""Routes of the room: /runs/{run_id}/why and /schedules/{schedule_id}/why."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Router, reads
from stepwell.server.waiting import service
from stepwell.server.waiting.records import Why

router = Router()

Viewing = Annotated[Call, reads(Role.VIEWER)]


@router.get("/runs/{run_id}/why", tags=["runs"])
def why_run_waits(
    call: Viewing,
    run_id: UUID,
    step: Annotated[
        str | None, Query(max_length=200, description="An operation's name, or a step's id.")
    ] = None,
) -> Why:
    """Why a run, or a step of it, waits: a sentence, since when, until when, what to do."""
    return service.why(call.conn, call.services, run_id, step)


@router.get("/schedules/{schedule_id}/why", tags=["schedules"])
def why_schedule_waits(call: Viewing, schedule_id: UUID) -> Why:
    """Why a schedule starts no run now."""
    return service.why_schedule(call.conn, call.services, schedule_id)
