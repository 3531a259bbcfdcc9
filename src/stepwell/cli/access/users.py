"""`stepwell users`: accounts of people."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Reason
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.serving.serve import Database, DataDir, needs_server
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput, NotFound

app = typer.Typer(name="users", help="People: accounts, roles, passwords.", no_args_is_help=True)

COLUMNS: Final = {
    "name": "name",
    "role": "role",
    "login": "login",
    "e-mail": "email",
    "last login": "last_login_at",
    "disabled": "disabled_at",
}
FIELDS: Final = {**COLUMNS, "created": "created_at", "by": "created_by"}

Name = Annotated[str, typer.Argument(help="The user's name.")]
Role = Annotated[str, typer.Option("--role", help="viewer, operator, reviewer or admin.")]
Direct = Annotated[bool, typer.Option("--direct", help="Write to the database, without a server.")]


class UserUnknown(NotFound):
    """No user has this name."""

    code = "user-unknown"


@command(app, "list")
def list_users(session: Session) -> None:
    """All accounts, by name."""
    session.out.rows(list(session.api.items("/users", 10_000)), COLUMNS, "There are no users.")


@command(app, "create")
def create(
    session: Session,
    name: Name,
    role: Role = "viewer",
    email: Annotated[str | None, typer.Option("--email", help="The address of the person.")] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", help="They log in elsewhere, known by this subject.")
    ] = None,
    direct: Direct = False,
    database: Database = None,
    data_dir: DataDir = None,
    reason: Reason = None,
) -> None:
    """Make an account, and print the one-time link by which its owner sets the password."""
    body = {"name": name, "role": role, "email": email, "subject": subject, "reason": reason}
    body = {key: value for key, value in body.items() if value is not None}
    made = _direct(database, data_dir, body) if direct else session.api.post("/users", body)
    if session.out.as_json:
        session.out.json(made)
        return
    if made["link"] is None:
        session.out.line(f"{made['name']!r} has the role {made['role']}, and logs in elsewhere.")
        return
    session.out.note(f"{made['name']!r} has the role {made['role']}. The link is shown this once:")
    print(made["link"]["url"])


@command(app, "change")
def change(
    session: Session,
    name: Name,
    role: Annotated[str | None, typer.Option("--role", help="The new role.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="The address of the person.")] = None,
    reason: Reason = None,
) -> None:
    """Give a user another role or e-mail address; it holds at once."""
    if role is None and email is None:
        raise InvalidInput("Nothing is to be changed.", fix="Give --role or --email.")
    _patch(session, name, {"role": role, "email": email, "reason": reason})


@command(app, "disable")
def disable(session: Session, name: Name, reason: Reason = None) -> None:
    """Let a user in no more; their sessions and login tokens end at once."""
    _patch(session, name, {"disabled": True, "reason": reason})


@command(app, "enable")
def enable(session: Session, name: Name, reason: Reason = None) -> None:
    """Let a disabled user in again."""
    _patch(session, name, {"disabled": False, "reason": reason})


@command(app, "link")
def link(session: Session, name: Name, reason: Reason = None) -> None:
    """Print a one-time link to set the password, for who has forgotten it."""
    made = session.api.post(f"/users/{_named(session, name)['id']}/links", {"reason": reason})
    if session.out.as_json:
        session.out.json(made)
        return
    session.out.note("Earlier links have ended. This one is shown this once:")
    print(made["url"])


@command(app, "password")
def password(
    session: Session,
    link: Annotated[
        str | None, typer.Option("--link", help="The one-time link, or its secret.")
    ] = None,
) -> None:
    """Set your password: with a one-time link, or from the present one to a new one."""
    if link is not None:
        new = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        secret = link.rpartition("#")[2]
        session.api.post("/password-resets", {"secret": secret, "password": new})
    else:
        current = typer.prompt("Present password", hide_input=True, err=True)
        new = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        session.api.post("/passwords", {"current": current, "new": new})
    session.out.answer({"changed": True}, "The password is set; log in with it again.")


@command(app, "sessions")
def sessions(
    session: Session,
    end: Annotated[str | None, typer.Option("--end", help="The id of one to end.")] = None,
    reason: Reason = None,
) -> None:
    """Your own sessions in browsers; with --end one of them is ended."""
    if end is not None:
        ended = session.api.post(f"/sessions/{end}/revocations", {"reason": reason})
        session.out.answer(ended, f"The session {end} is ended.")
        return
    columns = {"id": "id", "how": "how", "begun": "created_at", "used": "last_used_at"}
    columns |= {"from": "address", "with": "agent"}
    session.out.rows(list(session.api.items("/sessions", 1000)), columns, "You have none.")


@command(app, "first")
def first(
    session: Session,
    name: Name,
    secret: Annotated[str, typer.Option("--secret", help="What the server has printed.")],
) -> None:
    """Make the first admin, with the secret that the server printed when it started."""
    chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    session.api.post("/login/first", {"secret": secret, "name": name, "password": chosen})
    session.out.answer({"name": name}, f"{name!r} is the first admin: stepwell login -u {name}")


def _patch(session: Session, name: str, body: dict[str, Any]) -> None:
    given = {key: value for key, value in body.items() if value is not None}
    changed = session.api.patch(f"/users/{_named(session, name)['id']}", given)
    session.out.record(changed, FIELDS)


def _named(session: Session, name: str) -> dict[str, Any]:
    users = list(session.api.items("/users", limit=10_000))
    for user in users:
        if user["name"] == name.lower():
            return dict(user)
    raise UserUnknown(
        f"There is no user {name!r}.",
        fix=did_you_mean(name, [user["name"] for user in users]) or "See `stepwell users list`.",
    )


def _direct(database: Any, data_dir: Any, body: dict[str, Any]) -> dict[str, Any]:
    needs_server("users create --direct")
    from stepwell.cli.access.direct import create_user  # noqa: PLC0415 - needs what was just looked for

    given = {"database_url": database, "data_dir": data_dir}
    return create_user(body, {key: one for key, one in given.items() if one is not None})
