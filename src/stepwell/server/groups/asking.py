"""What groups ask of their launcher, checked before it is saved, and before the transaction:
a cluster may take seconds to say whether it would take it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from stepwell.errors import InvalidInput
from stepwell.launchers.protocol import Configurable
from stepwell.server.access.records import Role, User
from stepwell.server.access.service import OutOfGroups
from stepwell.server.groups import queries
from stepwell.server.groups.records import GroupChange, NewGroup
from stepwell.server.http import require
from stepwell.server.services import Services

Admin = Annotated[User, Depends(require(Role.ADMIN))]


class LaunchOptionsUnsupported(InvalidInput):
    """The launcher of the group takes no options."""

    code = "launch-options-unsupported"


def of_new(request: Request, user: Admin, body: NewGroup) -> None:
    """A dependency of the route that registers; raises as the launcher does."""
    check(request.app.state.services, body.launcher, body.launch_options)


def of_change(request: Request, user: Admin, name: str, body: GroupChange) -> None:
    """A dependency of the route that changes; a group that is not there, is told of there."""
    services: Services = request.app.state.services
    if body.launch_options or body.secrets or body.image:
        with services.db.read() as conn:
            row = queries.get(conn, name)
        if row is not None:
            _check_reach(user, row, body)
            _check_image(user, row, body)
            check(services, row["launcher"], body.launch_options)


def _check_reach(user: User, row: queries.Row, body: GroupChange) -> None:
    """Raise `OutOfGroups` for a token of groups that takes a secret which its group has not yet:
    variables of the server, and Secrets of its cluster, are those of all groups."""
    taken = (body.secrets or {}).items() - row["secrets"].items()
    asked = body.launch_options or row["launch_options"]
    if user.groups is not None and (taken or asked != row["launch_options"]):
        raise OutOfGroups(
            f"The token of {user.name!r} is limited to groups, and may give none a secret.",
            why="Whose a secret is, no reference says; launch options can name any, too.",
            fix="Use a token without that limit for secrets and launch options.",
        )


def _check_image(user: User, row: queries.Row, body: GroupChange) -> None:
    """Raise `OutOfGroups` for a token of groups that names a file of the server's machine, unless
    it lies where the image of its group does: all else there is the server's, or of others."""
    if user.groups is None or row["launcher"] != "process" or not body.image:
        return
    if not Path(body.image).resolve().is_relative_to(Path(row["image"]).resolve().parent):
        raise OutOfGroups(
            f"The token of {user.name!r} is limited to groups, and may not run {body.image!r}.",
            why="It lies outside of the folder that the group's image is in.",
            fix="Put the image there, or use a token without that limit.",
        )


def check(services: Services, launcher: str, options: dict[str, Any] | None) -> None:
    """Have the launcher check what is asked of it.

    Raises
    ------
    LaunchOptionsUnsupported, LauncherOff : and what the launcher raises.
    """
    if not options:
        return
    found = services.launcher(launcher)
    if not isinstance(found, Configurable):
        raise LaunchOptionsUnsupported(
            f"The launcher {launcher!r} takes no launch options.",
            why="All its launches are alike.",
            fix="Leave them out, or register the group with --launcher kubernetes.",
        )
    found.check_options(options)
