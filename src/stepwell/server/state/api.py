"""Routes of the room: /state. Operations reach theirs below /runs/{id}."""

from __future__ import annotations

from typing import Annotated

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Router, reads, writes
from stepwell.server.state import service
from stepwell.server.state.records import Edit, Entry, Key

router = Router(prefix="/state", tags=["state"])


@router.get("")
def list_entries(
    call: Annotated[Call, reads(Role.VIEWER)],
    pages: Pages,
    group: str | None = None,
    scope: str | None = None,
    prefix: str | None = None,
) -> Page[Entry]:
    """Current values, by group, scope and key."""
    return service.listed(call.conn, pages, group, scope, prefix)


@router.get("/{group}/entry")
def show(call: Annotated[Call, reads(Role.VIEWER)], group: str, scope: str, key: Key) -> Entry:
    """The newest version of one value, also when it is deleted or expired."""
    return service.history_exists(call.conn, group, scope, key)


@router.get("/{group}/history")
def history(
    call: Annotated[Call, reads(Role.VIEWER)], pages: Pages, group: str, scope: str, key: Key
) -> Page[Entry]:
    """The versions of one value, newest first, each with the run and step that wrote it."""
    return service.history(call.conn, pages, group, scope, key)


@router.post("/{group}/edits", status_code=201)
def edit(
    call: Annotated[Call, writes(Role.OPERATOR)], group: str, scope: str, key: Key, body: Edit
) -> Entry:
    """Write or delete a value by hand: with the version that was seen, and a reason."""
    scope = service.checked_scope(scope)
    return service.edit(call.conn, group, scope, key, body, call.user.name)
