"""Routes of the room: /launchers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request

from stepwell.server.access.records import Role, User
from stepwell.server.http import Router, require, services_of
from stepwell.server.launchers import service
from stepwell.server.launchers.records import ClusterPermissions, LauncherShown

router = Router(tags=["launchers"])

# No `Call`: its transaction would be open for as long as a cluster thinks.
Looking = Annotated[User, Depends(require(Role.VIEWER))]
Administering = Annotated[User, Depends(require(Role.ADMIN))]


class Launchers(BaseModel):
    """Every launcher, on one page."""

    items: list[LauncherShown]


@router.get("/launchers")
def list_launchers(request: Request, _: Looking) -> Launchers:
    """What starts images here; and what else there is, with how to have it."""
    return Launchers(items=service.listed(services_of(request)))


@router.get("/launchers/{launcher}/permissions")
def show_launcher_permissions(
    request: Request, launcher: str, _: Administering
) -> ClusterPermissions:
    """What a launcher may do in its cluster: the cluster is asked for each verb now."""
    return service.permissions(services_of(request), launcher)
