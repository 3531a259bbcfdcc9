"""Routes of the room: /audit."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime

from stepwell.server.access.records import Role
from stepwell.server.audit import service
from stepwell.server.audit.records import Entry
from stepwell.server.http import Call, Page, Pages, Router, reads

router = Router(tags=["audit"])


@router.get("/audit")
def list_entries(
    call: Annotated[Call, reads(Role.REVIEWER)],
    pages: Pages,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Page[Entry]:
    """The audit log, newest first."""
    filters = {"actor": actor, "action": action, "target": target}
    return service.listed(call.conn, pages, since=since, until=until, **filters)
