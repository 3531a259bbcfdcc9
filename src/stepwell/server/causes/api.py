"""Routes of the room: /causes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime

from stepwell.server.access.records import Role
from stepwell.server.causes import service
from stepwell.server.causes.records import Causes, Mute, NewMute
from stepwell.server.http import Call, Pages, Router, Why, reads, writes

router = Router(prefix="/causes", tags=["causes"])

Operating = Annotated[Call, writes(Role.OPERATOR)]
Fingerprint = Annotated[str, Path(pattern=r"^[0-9A-Za-z._-]{1,64}$")]


@router.get("")
def list_causes(
    call: Annotated[Call, reads(Role.VIEWER)],
    pages: Pages,
    since: AwareDatetime | None = None,
    muted: bool = False,
) -> Causes:
    """What failed, by cause, the one seen last first; of the last seven days by default."""
    return service.listed(call.conn, pages, since=since, muted=muted)


@router.post("/{fingerprint}/mutes", status_code=201)
def mute_cause(call: Operating, fingerprint: Fingerprint, body: NewMute) -> Mute:
    """Do not show a cause until an instant."""
    return service.mute(call.conn, fingerprint, body, by=call.user.name)


@router.delete("/{fingerprint}/mutes")
def unmute_cause(
    call: Operating,
    fingerprint: Fingerprint,
    reason: Why = None,
) -> None:
    """Show a cause again."""
    service.unmute(call.conn, fingerprint, reason, by=call.user.name)
