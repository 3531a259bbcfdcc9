"""Routes of the room: /views."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query

from stepwell import clock
from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Router, reads, writes
from stepwell.server.views import service
from stepwell.server.views.records import MOST, RUNS, NewDefault, NewView, View, ViewChange

router = Router(prefix="/views", tags=["views"])

Own = Annotated[Call, writes(Role.VIEWER)]


@router.get("")
def list_views(
    call: Annotated[Call, reads(Role.VIEWER)],
    screen: Annotated[str, Query(pattern=r"^[a-z]{1,20}$")] = RUNS,
) -> Page[View]:
    """The views of a screen: those built in, your own, and those that others share."""
    return _page(service.listed(call.conn, call.user, screen))


@router.post("", status_code=201)
def save_view(call: Own, body: NewView) -> View:
    """Save a view; a shared one is seen by all."""
    return service.save(call.conn, call.user, body)


@router.put("/default")
def choose_default_view(call: Own, body: NewDefault) -> Page[View]:
    """Choose the view that comes first on a screen, for you alone."""
    return _page(service.choose(call.conn, call.user, body))


@router.patch("/{view_id}")
def change_view(call: Own, view_id: UUID, body: ViewChange) -> View:
    """Change a view of your own; an admin may change a shared one."""
    return service.change(call.conn, call.user, view_id, body)


@router.delete("/{view_id}")
def remove_view(call: Own, view_id: UUID) -> None:
    """Remove a view."""
    service.remove(call.conn, call.user, view_id)


def _page(found: list[View]) -> Page[View]:
    """All of them: nobody has so many that they need a second page."""
    return Page(items=found, next=None, limited_to=MOST, as_of=clock.now())
