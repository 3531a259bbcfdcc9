"""Routes of the room: /state. Operations reach theirs below /runs/{id}."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Router, reads, writes
from stepwell.server.state import editing, reading, service
from stepwell.server.state.records import (
    Edit,
    Entry,
    ImportResult,
    Key,
    StateChange,
    StateImport,
    StateReader,
    StateRestore,
)

router = Router(prefix="/state", tags=["state"])

Number = Annotated[int | None, Query(ge=1, lt=2**31)]


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


@router.get("/{group}/changes")
def changes(
    call: Annotated[Call, reads(Role.VIEWER)],
    group: str,
    scope: str,
    key: Key,
    version: Number = None,
    other: Number = None,
) -> StateChange:
    """How a version differs from the one before it, or from another."""
    return editing.change(call.conn, group, scope, key, version, other)


@router.get("/{group}/readers")
def list_readers(
    call: Annotated[Call, reads(Role.VIEWER)], group: str, scope: str, key: Key
) -> list[StateReader]:
    """Which operations have read the value, the last one first; noted once a minute at most."""
    service.history_exists(call.conn, group, scope, key)
    return reading.readers(call.conn, group, scope, key)


@router.post("/{group}/restores", status_code=201)
def restore(
    call: Annotated[Call, writes(Role.OPERATOR)],
    group: str,
    scope: str,
    key: Key,
    body: StateRestore,
) -> Entry:
    """Write the value of an earlier version again, with the version that was seen."""
    scope = service.checked_scope(scope)
    return editing.restore(call.conn, group, scope, key, body, call.user.name)


@router.post("/{group}/imports", status_code=201)
def import_entries(
    call: Annotated[Call, writes(Role.OPERATOR)], group: str, body: StateImport
) -> ImportResult:
    """Write entries of another place, all of them or none."""
    return editing.import_entries(call.conn, group, body, call.user.name)


@router.post("/{group}/edits", status_code=201)
def edit(
    call: Annotated[Call, writes(Role.OPERATOR)], group: str, scope: str, key: Key, body: Edit
) -> Entry:
    """Write or delete a value by hand: with the version that was seen, and a reason."""
    scope = service.checked_scope(scope)
    return service.edit(call.conn, group, scope, key, body, call.user.name)
