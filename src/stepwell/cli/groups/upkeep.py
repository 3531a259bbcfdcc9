"""`stepwell groups change | archive | restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stepwell.cli.groups import launch_options
from stepwell.cli.groups.commands import FIELDS, Env, Name, Secrets, app, here, known, pairs, stated
from stepwell.cli.groups.launch_options import LaunchOptions
from stepwell.cli.options import Reason
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput


@command(app, "change")
def change(
    session: Session,
    name: Name,
    image: Annotated[str | None, typer.Option("--image", help="Another image or path.")] = None,
    env: Env = None,
    secret: Secrets = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="NAME", help="Take a variable or secret away."),
    ] = None,
    with_secrets: Annotated[
        bool | None,
        typer.Option(
            "--discover-with-secrets/--discover-without-secrets",
            help="Whether discoveries get the secrets too.",
        ),
    ] = None,
    two_person: Annotated[
        bool | None,
        typer.Option(
            "--two-person/--one-person",
            help="Whether another reviewer must confirm what is approved.",
        ),
    ] = None,
    options: LaunchOptions = None,
    no_options: Annotated[
        bool, typer.Option("--no-launch-options", help="Take its launch options away.")
    ] = False,
    reason: Reason = None,
) -> None:
    """Change image, variables, secrets, launch options or the rule for reviews; what is not
    named stays."""
    group = known(session, name)
    body: dict[str, Any] = {"discover_with_secrets": with_secrets, "reason": reason}
    body["two_person"] = two_person
    body |= _variables(group, pairs(env), pairs(secret), unset or [])
    if image is not None:
        body["image"] = _image(session, group, image)
    if options is not None:
        body["launch_options"] = launch_options.read(options)
    taken = {"launch_options": None} if no_options else {}
    found = session.api.patch(f"/groups/{name}", _given(body, taken))
    session.out.record(found, FIELDS)
    session.out.note(f"take it up with: stepwell groups discover {name}")


@command(app, "archive")
def archive(session: Session, name: Name, reason: Reason = None) -> None:
    """Begin nothing new in it from now on; what it has written stays."""
    known(session, name)
    session.out.record(session.api.post(f"/groups/{name}/archivals", {"reason": reason}), FIELDS)


@command(app, "restore")
def restore(session: Session, name: Name, reason: Reason = None) -> None:
    """Take an archived group back into use, with the release that it had."""
    known(session, name)
    session.out.record(session.api.post(f"/groups/{name}/restorations", {"reason": reason}), FIELDS)


def _image(session: Session, group: dict[str, Any], image: str) -> str:
    if group["launcher"] == "process":
        here(session, Path(image))
    return stated(image, group["launcher"])


def _variables(
    group: dict[str, Any], env: dict[str, str], secret: dict[str, str], unset: list[str]
) -> dict[str, Any]:
    """The whole of what changes: the API takes variables and secrets as a whole."""
    unknown = [name for name in unset if name not in group["environment"] | group["secrets"]]
    if unknown:
        raise InvalidInput(
            f"The group {group['name']!r} has no variable {unknown[0]!r}.",
            fix="See `stepwell groups show`.",
        )
    made = {"environment": group["environment"] | env, "secrets": group["secrets"] | secret}
    kept = {key: {n: v for n, v in one.items() if n not in unset} for key, one in made.items()}
    return {key: one for key, one in kept.items() if one != group[key]}


def _given(body: dict[str, Any], taken: dict[str, None]) -> dict[str, Any]:
    given = {key: value for key, value in body.items() if value is not None} | taken
    if not given.keys() - {"reason"}:
        raise InvalidInput(
            "Nothing is to be changed.", fix="Give --image, --env, --secret or --unset."
        )
    return given
