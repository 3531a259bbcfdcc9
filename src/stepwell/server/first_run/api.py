"""Routes of the room: /first-run."""

from __future__ import annotations

from typing import Annotated

from stepwell.server.access.records import Role
from stepwell.server.first_run import loading, service
from stepwell.server.first_run.records import FirstRun
from stepwell.server.http import Call, Router, reads, writes

router = Router(prefix="/first-run", tags=["first-run"])

Administering = Annotated[Call, writes(Role.ADMIN)]


@router.get("")
def show_first_run(call: Annotated[Call, reads(Role.VIEWER)]) -> FirstRun:
    """How far this server has come, looked up now; and whether the demo is there."""
    return service.checklist(call.conn, call.services)


@router.post("/demo", status_code=201)
def load_demo(call: Administering) -> FirstRun:
    """Register the demo group, and look into it; again is harmless."""
    loading.load(call.conn, call.services, by=call.user.name)
    return service.checklist(call.conn, call.services)


@router.delete("/demo")
def remove_demo(call: Administering) -> FirstRun:
    """Archive the demo group, cancel its runs, and remove them as soon as they have ended."""
    loading.remove(call.conn, call.services, by=call.user.name)
    return service.checklist(call.conn, call.services)
