"""`stepwell sources`: registries and folders in which groups are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from stepwell.cli.client import ALL
from stepwell.cli.options import Reason
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.session import Session, command
from stepwell.cli.waiting import polls
from stepwell.client import TookTooLong
from stepwell.errors import InvalidInput, NotFound, StepwellError, catalogue

app = typer.Typer(
    name="sources",
    help="Registries and folders in which groups are found: add, list, show, change, test, scan, "
    "accept, dismiss, remove.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "name": "name",
    "kind": "kind",
    "location": "location",
    "images": "images",
    "waiting": "waiting",
    "scanned": "scanned_at",
    "error": "scan_error.what",
}
FIELDS: Final = {
    "name": "name",
    "kind": "kind",
    "location": "location",
    "include": "include",
    "exclude": "exclude",
    "credentials": "credentials",
    "launcher": "launcher",
    "scanned every": "scan_every",
    "scanned": "scanned_at",
    "could not scan": "scan_error.what",
    "why": "scan_error.why",
    "fix": "scan_error.fix",
    "images": "images",
    "waiting": "waiting",
}
IMAGES: Final = {
    "image": "image",
    "state": "state",
    "group": "shown_name",
    "digest": "digest",
    "seen": "last_seen_at",
    "error": "error.what",
    "id": "id",
}
_PATIENCE: Final = 120.0

Name: TypeAlias = Annotated[str, typer.Argument(help="The source.")]
Include: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="PATTERN", help="Only these: team/*, *.py; repeatable."),
]
Exclude: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="PATTERN", help="Not these: *:dev; repeatable."),
]
Username: TypeAlias = Annotated[
    str | None, typer.Option("--username", metavar="env:NAME", help="A variable of the server.")
]
Password: TypeAlias = Annotated[
    str | None, typer.Option("--password", metavar="env:NAME", help="A variable of the server.")
]
Every: TypeAlias = Annotated[
    float | None, typer.Option("--every", metavar="SECONDS", help="Scan it by itself; 0 ends that.")
]
Launcher: TypeAlias = Annotated[
    str | None, typer.Option("--launcher", help="What starts the images that are found there.")
]
Image: TypeAlias = Annotated[
    str, typer.Argument(metavar="IMAGE", help="As `stepwell sources show` names it, or its id.")
]


@command(app, "add")
def add(
    session: Session,
    name: Annotated[str, typer.Argument(help="What to call it.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="A folder, as the server sees it.")
    ] = None,
    registry: Annotated[
        str | None, typer.Option("--registry", metavar="URL", help="A registry of images.")
    ] = None,
    include: Include = None,
    exclude: Exclude = None,
    username: Username = None,
    password: Password = None,
    launcher: Launcher = None,
    every: Every = None,
    reason: Reason = None,
) -> None:
    """Add a source and scan it. What is found waits for an admin's yes; nothing runs."""
    if (folder is None) == (registry is None):
        raise InvalidInput("A source is a folder or a registry.", fix="Give one of the two.")
    location = str(folder.absolute()) if folder is not None else registry
    body: dict[str, Any] = {
        "name": name,
        "kind": "folder" if folder is not None else "registry",
        "location": location,
        "include": include or [],
        "exclude": exclude or [],
        "credentials": _login(username, password),
        "launcher": launcher,
        "scan_every": every or None,
        "reason": reason,
    }
    session.api.post("/sources", body)
    _tell(session, _scanned(session, name))


@command(app, "list")
def list_sources(session: Session) -> None:
    """All sources, with when they were scanned, and how many images wait for a yes."""
    found = list(session.api.items("/sources", ALL))
    session.out.rows(found, COLUMNS, "No source yet. Add one: stepwell sources add NAME --folder .")


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """One source, and what was found in it."""
    _tell(session, _known(session, name))


@command(app, "change")
def change(
    session: Session,
    name: Name,
    location: Annotated[
        str | None, typer.Option("--location", help="Another folder or address.")
    ] = None,
    include: Include = None,
    exclude: Exclude = None,
    username: Username = None,
    password: Password = None,
    launcher: Launcher = None,
    every: Every = None,
    reason: Reason = None,
) -> None:
    """Change a source; what is not named stays."""
    _known(session, name)
    named = {"location": location, "include": include, "exclude": exclude, "launcher": launcher}
    body: dict[str, Any] = {key: one for key, one in named.items() if one is not None}
    if username is not None or password is not None:
        body["credentials"] = _login(username, password)
    if every is not None:
        body["scan_every"] = every or None
    if not body:
        raise InvalidInput("Nothing is to be changed.", fix="Give --include, --every, --location.")
    session.out.record(session.api.patch(f"/sources/{name}", body | {"reason": reason}), FIELDS)


@command(app, "scan")
def scan(session: Session, name: Name) -> None:
    """Look for images now; groups whose digest has changed are discovered."""
    _known(session, name)
    session.api.post(f"/sources/{name}/scans", {})
    _tell(session, _scanned(session, name))


@command(app, "test")
def test(session: Session, name: Name) -> None:
    """Look at it as a scan does, keep nothing, and say what was seen."""
    _known(session, name)
    found = session.api.post(f"/sources/{name}/tests")
    if not found["ok"]:
        raise _error(found["error"])
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.line(f"{found['count']} images, seen in {found['seconds']:g} s")
    for image in found["images"]:
        session.out.line(f"  {image}")


@command(app, "accept")
def accept(
    session: Session,
    name: Name,
    image: Image,
    group: Annotated[
        str | None, typer.Option("--group", help="Its name; else the one that it states itself.")
    ] = None,
    reason: Reason = None,
) -> None:
    """Register an image that was found as a group, and discover it: its code runs now."""
    found = _image(session, name, image)
    body: dict[str, Any] = {} if group is None else {"name": group}
    if reason is not None:
        body["reason"] = reason
    made = session.api.post(f"/source-images/{found['id']}/registrations", body)
    session.out.answer(
        made,
        f"registered {made['group']}; see: stepwell discoveries show {made['discovery_id']}",
    )


@command(app, "dismiss")
def dismiss(session: Session, name: Name, image: Image, reason: Reason = None) -> None:
    """Do not offer an image any more; it may still be accepted later."""
    found = _image(session, name, image)
    said = session.api.post(f"/source-images/{found['id']}/dismissals", {"reason": reason})
    session.out.answer(said, f"{said['image']} is not offered any more")


@command(app, "remove")
def remove(session: Session, name: Name, reason: Reason = None) -> None:
    """Forget a source and what was found there; groups that were registered stay."""
    _known(session, name)
    session.api.post(f"/sources/{name}/removals", {"reason": reason})
    session.out.answer({"removed": name}, f"removed {name}")


def _known(session: Session, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = session.api.get(f"/sources/{name}")
    except NotFound as error:
        names = [one["name"] for one in session.api.items("/sources", ALL)]
        error.fix = did_you_mean(name, names) or error.fix
        raise
    return found


def _scanned(session: Session, name: str) -> dict[str, Any]:
    for _ in polls(_PATIENCE):
        found = _known(session, name)
        if not found["scanning"]:
            return found
    raise TookTooLong(f"The scan of {name!r} goes on.", fix=f"See `stepwell sources show {name}`.")


def _tell(session: Session, source: dict[str, Any]) -> None:
    images = list(session.api.items("/source-images", ALL, source=source["name"]))
    if session.out.as_json:
        session.out.json(source | {"found": images})
        return
    session.out.record(source, FIELDS)
    session.out.line()
    empty = "No image was found there."
    session.out.rows(images, IMAGES, empty, lambda one: {**one, "shown_name": _called(one)})
    if source["waiting"]:
        session.out.line(f"register one with: stepwell sources accept {source['name']} IMAGE")


def _called(image: Any) -> Any:
    return image["group"] or image["stated_name"]


def _image(session: Session, source: str, wanted: str) -> dict[str, Any]:
    _known(session, source)
    images = list(session.api.items("/source-images", ALL, source=source))
    fits = [one for one in images if wanted in (one["id"], one["image"], one["stated_name"])]
    fits = fits or [one for one in images if one["image"].endswith(f"/{wanted}")]
    if len(fits) != 1:
        raise NotFound(
            f"The source {source!r} has {len(fits) or 'no'} images {wanted!r}.",
            fix=did_you_mean(wanted, [one["image"] for one in images])
            or f"See `stepwell sources show {source}`.",
        )
    return dict(fits[0])


def _login(username: str | None, password: str | None) -> dict[str, str] | None:
    if username is None and password is None:
        return None
    if username is None or password is None:
        raise InvalidInput("Credentials are two.", fix="Give --username and --password.")
    return {"username": username, "password": password}


def _error(fault: dict[str, Any]) -> StepwellError:
    return catalogue().get(fault["code"], StepwellError).from_dict(fault)
