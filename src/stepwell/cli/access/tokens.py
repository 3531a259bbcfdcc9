"""`stepwell tokens`: who may speak to the server, and as what."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from stepwell import clock
from stepwell.cli.options import Reason
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.serving.serve import Database, DataDir, needs_server
from stepwell.cli.session import Session, command
from stepwell.errors import NotFound

app = typer.Typer(name="tokens", help="API tokens: create, list, revoke.", no_args_is_help=True)

COLUMNS: Final = {
    "name": "name",
    "role": "role",
    "groups": "groups",
    "created": "created_at",
    "by": "created_by",
    "expires": "expires_at",
    "last used": "last_used_at",
    "revoked": "revoked_at",
}


class TokenUnknown(NotFound):
    """No token has this name."""

    code = "token-unknown"


@command(app, "create")
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Whom it is for; the audit log shows it.")],
    role: Annotated[
        str, typer.Option("--role", help="viewer, operator, reviewer or admin.")
    ] = "viewer",
    group: Annotated[
        list[str] | None, typer.Option("--group", help="Reaches this group only; repeatable.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Changes nothing.")] = False,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Ends after so many days; else never.")
    ] = None,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="Write to the database, without a server: the first token."),
    ] = False,
    database: Database = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token. Its secret is printed once, and kept nowhere."""
    asked: dict[str, Any] = {"name": name, "role": role}
    asked |= {"groups": group} if group else {}
    asked |= {"read_only": True} if read_only else {}
    asked |= {"expires_at": _in(days)} if days else {}
    post = session.api.post if not direct else None
    issued = _directly(asked, database, data_dir) if post is None else post("/tokens", asked)
    if session.out.as_json:
        session.out.json(issued)
        return
    session.out.note(f"The token of {name!r}, role {role}; it is shown this once:")
    if issued["warning"]:
        session.out.note(issued["warning"])
    print(issued["secret"])


@command(app, "list")
def list_tokens(session: Session) -> None:
    """All tokens, newest first; never their secrets."""
    session.out.rows(list(session.api.items("/tokens")), COLUMNS, "There are no tokens.")


@command(app, "revoke")
def revoke(
    session: Session,
    name: Annotated[str, typer.Argument(help="The token's name or id.")],
    reason: Reason = None,
) -> None:
    """End a token at once."""
    token = _named(session, name)
    ended = session.api.post(f"/tokens/{token['id']}/revocations", {"reason": reason})
    if session.out.as_json:
        session.out.json(ended)
    session.out.line(f"The token {token['name']!r} is revoked.")


def _named(session: Session, name: str) -> dict[str, Any]:
    tokens = list(session.api.items("/tokens", limit=1000))
    for token in tokens:
        if name in (token["name"], token["id"]):
            return dict(token)
    raise TokenUnknown(
        f"There is no token {name!r}.",
        fix=did_you_mean(name, [token["name"] for token in tokens])
        or "See `stepwell tokens list`.",
    )


def _in(days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


def _directly(asked: dict[str, Any], database: Any, data_dir: Any) -> dict[str, Any]:
    needs_server("tokens create --direct")
    from stepwell.cli.access.direct import issue_token  # noqa: PLC0415 - needs what was just looked for

    given = {"database_url": database, "data_dir": data_dir}
    return issue_token(asked, {key: one for key, one in given.items() if one is not None})
