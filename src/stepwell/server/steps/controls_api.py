"""Routes of the room: /controls."""

from __future__ import annotations

from typing import Annotated

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Router, reads, writes
from stepwell.server.steps import controls
from stepwell.server.steps.controls import Controls, ControlShown, NewControl, Queues
from stepwell.stores.controls import ControlKind

router = Router(prefix="/controls", tags=["controls"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


@router.get("")
def list_controls(call: Reading) -> Controls:
    """Pauses of queues, limits and rates of keys, with who set them, and why."""
    return controls.listed(call.conn, call.db)


@router.get("/queues")
def list_queues(call: Reading) -> Queues:
    """The queues that may be paused: those that engines serve, or in which steps are."""
    return controls.queues(call.db)


@router.post("")
def set_control(call: Operating, body: NewControl) -> ControlShown:
    """Pause a queue, or set a limit or rate; engines obey within about a second."""
    return controls.put(call.conn, call.db, body, by=call.user.name)


@router.delete("", status_code=204)
def remove_control(call: Operating, kind: ControlKind, key: str, reason: str | None = None) -> None:
    """Resume a queue, or forget a limit or rate."""
    controls.drop(call.conn, call.db, kind, key, reason, by=call.user.name)
