"""`stepwell groups`: register an image, see what is in it, review and release it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from stepwell.cli.client import ALL
from stepwell.cli.groups import discovered, finder, launch_options
from stepwell.cli.groups.launch_options import LaunchOptions
from stepwell.cli.options import Reason
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.session import Session, command
from stepwell.cli.waiting import good_discovery
from stepwell.errors import InvalidInput, NotFound
from stepwell.launchers.images import check

app = typer.Typer(
    name="groups",
    help="Workflow groups: register, change, discover, review, approve, roll back, archive.",
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

FIELDS: Final = COLUMNS | {
    "environment": "environment",
    "secrets": "secrets",
    "discover with secrets": "discover_with_secrets",
    "discovered by": "rediscover",
    "next discovery": "next_discovery_at",
    "digest looked at every": "watch_every",
    "looked at": "looked_at",
    "could not look": "look_error.what",
    "two reviewers": "two_person",
    "launch options": "launch_options",
    "archived": "archived_at",
}

Name = Annotated[str, typer.Argument(help="The workflow group.")]
Env = Annotated[
    list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="What the image gets.")
]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NAME=env:NAME", help="A variable of the server."),
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Until the discovery has ended.")]


@command(app, "register")
def register(
    session: Session,
    image: Annotated[str, typer.Argument(help="A Python file or package (process launcher).")],
    launcher: Annotated[str, typer.Option("--launcher", help="What starts the image.")] = "process",
    env: Env = None,
    secret: Secrets = None,
    options: LaunchOptions = None,
    wait: Wait = True,
) -> None:
    """Register an image as a group, and look into it. Nothing runs before it is approved."""
    local = launcher == "process"
    body = {
        "name": _stated_name(session, image) if local else None,
        "launcher": launcher,
        "image": stated(image, launcher),
        "environment": pairs(env),
        "secrets": pairs(secret),
    } | ({"launch_options": launch_options.read(options)} if options else {})
    made = session.api.post("/groups", body)
    session.out.note(f"registered {made['name']}")
    _discovered(session, made["discovery_id"], wait)


@command(app, "list")
def list_groups(
    session: Session,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
) -> None:
    """All groups, with the number of the release in force."""
    empty = "There are no groups. Register one: stepwell groups register PATH"
    columns = COLUMNS | ({"archived": "archived_at"} if archived else {})
    session.out.rows(list(session.api.items("/groups", ALL, archived=archived)), columns, empty)


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
        names = [one["name"] for one in session.api.items("/groups", ALL)]
        error.fix = did_you_mean(name, names) or error.fix
        raise
    return found


def stated(image: str, launcher: str) -> str:
    """The image as the server is told of it: a path of the process launcher from the root."""
    return str(Path(image).absolute()) if launcher == "process" else image


def here(session: Session, path: Path) -> None:
    """The path is the server's own; where that is this machine, it must be there."""
    if urlsplit(session.profile.url).hostname in _HERE:
        check(path)


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
    """The name that the source declares, so that even a broken group is known by it."""
    path = Path(image)
    here(session, path)
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
    _tell_review(session, ended["group_name"], discovery_id)


def _tell_review(session: Session, name: str, discovery_id: str) -> None:
    """What comes next; nothing where this very digest was rejected, or is in force."""
    found = session.api.get(f"/groups/{name}/discoveries/{discovery_id}/diff")
    if found["verdict"]:
        session.out.line(found["verdict"])
    elif found["pending"]:
        session.out.line(f"review it with: stepwell groups review {name}")
    else:
        session.out.line("nothing waits for a decision")
