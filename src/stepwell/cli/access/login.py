"""`stepwell login` and `stepwell logout`: a token of one's own for this machine."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from stepwell.cli.access import logins
from stepwell.cli.access.browsing import by_browser
from stepwell.cli.profile import Profile
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput, SetupError


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    command(app, "login")(login)
    command(app, "logout")(logout)
    command(app, "whoami")(whoami)


def login(
    session: Session,
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="Your name; else it is asked for.")
    ] = None,
    sso: Annotated[
        bool, typer.Option("--sso", help="In the browser, with the identity provider.")
    ] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Log in at a server, and keep a token of your own for it, readable by you only.

    The token ends after some weeks, at `stepwell logout`, and when your password changes.
    """
    if sso and (user or password_stdin):
        raise InvalidInput("--sso asks for no name and no password.", fix="Leave them out.")
    issued = by_browser(session) if sso else _by_password(session, user, password_stdin)
    url = session.profile.url
    path = logins.keep(os.environ, Profile(url, issued["secret"]))
    if path is None:
        raise SetupError("There is no folder to keep the login in.", fix="Set STEPWELL_CONFIG.")
    told = {"url": url, "name": issued["name"], "role": issued["role"], "file": str(path)}
    session.out.answer(
        told | {"expires_at": issued["expires_at"]},
        f"Logged in at {url} as {issued['created_by']}, role {issued['role']}.",
    )


def logout(session: Session) -> None:
    """End the token that `stepwell login` keeps for the server, and remove it."""
    url = session.profile.url
    session.api.post("/logout")
    logins.forget(os.environ, url)
    session.out.answer({"url": url}, f"Logged out at {url}.")


def whoami(session: Session) -> None:
    """Who you are at the server, and what you may do there."""
    columns = {"name": "name", "role": "role", "how": "how", "groups": "groups"}
    columns |= {"read only": "read_only", "until": "expires_at"}
    session.out.record(session.api.get("/me"), columns)


def _by_password(session: Session, user: str | None, password_stdin: bool) -> dict[str, Any]:
    if password_stdin and user is None:
        raise InvalidInput("--password-stdin needs --user.", fix="Give both.")
    name = user or typer.prompt("User", err=True)
    if password_stdin:
        password = typer.get_text_stream("stdin").readline().rstrip("\n")
    else:
        password = typer.prompt("Password", hide_input=True, err=True)
    body = {"name": name, "password": password}
    made: dict[str, Any] = session.api.post("/login/tokens", body)
    return made
