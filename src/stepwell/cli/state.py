"""`stepwell state`: the values that operations keep from run to run."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from stepwell.cli.options import Limit
from stepwell.cli.session import Session, command

app = typer.Typer(
    name="state", help="What operations keep from run to run: list, get.", no_args_is_help=True
)

COLUMNS: Final = {
    "group": "group",
    "scope": "scope",
    "key": "key",
    "version": "version",
    "value": "value",
    "written": "written_at",
    "by": "written_by",
    "expires": "expires_at",
}
_SHOWN: Final = 60

Group = Annotated[str, typer.Argument(help="The workflow group.")]


@command(app, "list")
def list_entries(
    session: Session,
    group: Annotated[str | None, typer.Argument(help="Only this group.")] = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="Keys that begin so.")] = None,
    limit: Limit = 100,
) -> None:
    """The current values, by group, scope and key."""
    found = list(session.api.items("/state", limit, group=group, prefix=prefix))
    if not session.out.as_json:
        found = [one | {"value": _short(one["value"])} for one in found]
    session.out.rows(found, COLUMNS, "Nothing is kept.")


@command(app, "get")
def get(
    session: Session,
    group: Group,
    scope: Annotated[str, typer.Argument(help="group, workflow:NAME or operation:NAME/NAME.")],
    key: Annotated[str, typer.Argument(help="The key that it is kept under.")],
) -> None:
    """One value as JSON, whole; with --json also its version and who wrote it."""
    entry = session.api.get(f"/state/{group}/entry", scope=scope, key=key)
    session.out.json(entry if session.out.as_json else entry["value"])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
