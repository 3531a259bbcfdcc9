"""`stepwell groups`: register an image, see what is in it, review and release it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from stepwell.cli import discovered, finder
from stepwell.cli.options import Reason
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.session import Session, command
from stepwell.cli.waiting import good_discovery
from stepwell.errors import InvalidInput, NotFound
from stepwell.launchers.images import check

app = typer.Typer(
    name="groups",
    help="Workflow groups: register, list, show, discover, review, approve, reject, roll back.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "name": "name",
    "release": "release",
    "workflows": "workflows",
    "launcher": "launcher",
    "image": "image",
    "registered": "created_at",
    "by": "created_by",
}
_HERE: Final = ("127.0.0.1", "localhost", "::1")

FIELDS: Final = COLUMNS | {"environment": "environment", "secrets": "secrets"}

Name = Annotated[str, typer.Argument(help="The workflow group.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Until the discovery has ended.")]


@command(app, "register")
def register(
    session: Session,
    image: Annotated[str, typer.Argument(help="A Python file or package (process launcher).")],
    launcher: Annotated[str, typer.Option("--launcher", help="What starts the image.")] = "process",
    env: Annotated[
        list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="What the image gets.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="NAME=env:NAME", help="A variable of the server."),
    ] = None,
    wait: Wait = True,
) -> None:
    """Register an image as a group, and look into it. Nothing runs before it is approved."""
    local = launcher == "process"
    body = {
        "name": _stated_name(session, image) if local else None,
        "launcher": launcher,
        "image": str(Path(image).absolute()) if local else image,
        "environment": pairs(env),
        "secrets": pairs(secret),
    }
    made = session.api.post("/groups", body)
    session.out.note(f"registered {made['name']}")
    _discovered(session, made["discovery_id"], wait)


@command(app, "list")
def list_groups(session: Session) -> None:
    """All groups, with the number of the release in force."""
    empty = "There are no groups. Register one: stepwell groups register PATH"
    session.out.rows(list(session.api.items("/groups", 500)), COLUMNS, empty)


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """One group."""
    session.out.record(known(session, name), FIELDS)


@command(app, "discover")
def discover(session: Session, name: Name, reason: Reason = None, wait: Wait = True) -> None:
    """Look into the image again, to take up what has changed."""
    known(session, name)
    begun = session.api.post(f"/groups/{name}/discoveries", {"reason": reason})
    _discovered(session, begun["id"], wait)


def known(session: Session, name: str) -> dict[str, Any]:
    """The group; a mistyped name gets its neighbours.

    Raises
    ------
    NotFound : with the names that are near.
    """
    try:
        found: dict[str, Any] = session.api.get(f"/groups/{name}")
    except NotFound as error:
        names = [one["name"] for one in session.api.items("/groups", 500)]
        error.fix = did_you_mean(name, names) or error.fix
        raise
    return found


def pairs(given: list[str] | None) -> dict[str, str]:
    """NAME=VALUE texts as a dict.

    Raises
    ------
    InvalidInput : one without `=`.
    """
    for one in given or ():
        if "=" not in one:
            raise InvalidInput(f"{one!r} is not NAME=VALUE.", fix="Write --env NAME=VALUE.")
    return dict(one.split("=", 1) for one in given or ())


def _stated_name(session: Session, image: str) -> str | None:
    """The name that the source declares, so that even a broken group is known by it.

    The path is the server's own; where that is this machine, it must be there.
    """
    path = Path(image)
    if urlsplit(session.profile.url).hostname in _HERE:
        check(path)
    found = finder.scan(path)
    return found[0].name if len(found) == 1 else None


def _discovered(session: Session, discovery_id: str, wait: bool) -> None:
    if not wait:
        session.out.json({"discovery_id": discovery_id})
        return
    ended = good_discovery(session.api, discovery_id)
    if session.out.as_json:
        session.out.json(ended)
        return
    discovered.tell(session.out, ended)
    session.out.line(f"review it with: stepwell groups review {ended['group_name']}")
