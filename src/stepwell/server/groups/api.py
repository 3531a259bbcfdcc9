"""Routes of the room: /groups."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from stepwell.server.access.records import Role
from stepwell.server.discoveries import service as discoveries
from stepwell.server.groups import asking, service
from stepwell.server.groups.records import Group, GroupChange, NewGroup
from stepwell.server.http import Call, Page, Pages, Reason, Router, reads, writes
from stepwell.server.reviews import service as reviews

router = Router(prefix="/groups", tags=["groups"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Administering = Annotated[Call, writes(Role.ADMIN)]


class Registered(Group):
    """A new group, and the discovery that began with it."""

    discovery_id: UUID


@router.get("")
def list_groups(call: Reading, pages: Pages, archived: bool = False) -> Page[Group]:
    """All groups by name."""
    return service.listed(call.conn, pages, archived=archived)


@router.post("", status_code=201, dependencies=[Depends(asking.of_new)])
def register_group(call: Administering, body: NewGroup) -> Registered:
    """Register an image as a group, and discover it."""
    group = service.register(call.conn, call.services, body, by=call.user.name)
    begun = discoveries.request(
        call.conn, call.db, group.name, trigger="registration", by=call.user.name
    )
    discoveries.arrange(call.conn, call.db, group)
    return Registered(**group.model_dump(), discovery_id=begun.id)


@router.get("/{name}")
def show_group(call: Reading, name: str) -> Group:
    """One group."""
    return service.get(call.conn, name)


@router.patch("/{name}", dependencies=[Depends(asking.of_change)])
def change_group(call: Administering, name: str, body: GroupChange) -> Group:
    """Change image, environment, launch options or rediscovery; discover it to take up another
    image."""
    group = service.change(call.conn, name, body, by=call.user.name)
    discoveries.arrange(call.conn, call.db, group)
    return group


@router.post("/{name}/archivals", status_code=201)
def archive_group(call: Administering, name: str, body: Reason) -> Group:
    """Nothing new begins in this group from now on; its schedules are not due any more."""
    return reviews.archive(call.conn, call.services, name, body.reason, by=call.user.name)


@router.post("/{name}/restorations", status_code=201)
def restore_group(call: Administering, name: str, body: Reason) -> Group:
    """Take an archived group back into use, with the release that it had."""
    group = reviews.restore(call.conn, call.services, name, body.reason, by=call.user.name)
    discoveries.arrange(call.conn, call.db, group)
    return group
