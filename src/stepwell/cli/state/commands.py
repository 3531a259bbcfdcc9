"""`stepwell state`: the values that operations keep from run to run."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Limit
from stepwell.cli.session import Session, command

app = typer.Typer(
    name="state",
    help="What operations keep from run to run: list, get, set, delete, history, restore, ...",
    no_args_is_help=True,
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
VERSIONS: Final = {
    "version": "version",
    "value": "value",
    "deleted": "deleted",
    "written": "written_at",
    "by": "written_by",
    "run": "run_id",
}
READERS: Final = {"reader": "reader", "run": "run_id", "read": "read_at"}
CHANGES: Final = {"path": "path", "change": "kind", "before": "before", "after": "after"}
_SHOWN: Final = 60

Group = Annotated[str, typer.Argument(help="The workflow group.")]
Scope = Annotated[str, typer.Argument(help="group, workflow:NAME or operation:NAME/NAME.")]
Key = Annotated[str, typer.Argument(help="The key that it is kept under.")]


@command(app, "list")
def list_entries(
    session: Session,
    group: Annotated[str | None, typer.Argument(help="Only this group.")] = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="Keys that begin so.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="Only of this scope.")] = None,
    limit: Limit = 100,
) -> None:
    """The current values, by group, scope and key."""
    found = list(session.api.items("/state", limit, group=group, prefix=prefix, scope=scope))
    if not session.out.as_json:
        found = [one | {"value": short(one["value"])} for one in found]
    session.out.rows(found, COLUMNS, "Nothing is kept.")


@command(app, "get")
def get(session: Session, group: Group, scope: Scope, key: Key) -> None:
    """One value as JSON, whole; with --json also its version and who wrote it."""
    entry = session.api.get(f"/state/{group}/entry", scope=scope, key=key)
    session.out.json(entry if session.out.as_json else entry["value"])


@command(app, "history")
def history(session: Session, group: Group, scope: Scope, key: Key, limit: Limit = 20) -> None:
    """The versions of a value, newest first, and which run wrote each."""
    path = f"/state/{group}/history"
    found = list(session.api.items(path, limit, scope=scope, key=key))
    if not session.out.as_json:
        found = [one | {"value": short(one["value"])} for one in found]
    session.out.rows(found, VERSIONS, "Nothing is kept.")


@command(app, "diff")
def diff(
    session: Session,
    group: Group,
    scope: Scope,
    key: Key,
    version: Annotated[
        int | None, typer.Option("--version", help="Default: the newest one.")
    ] = None,
    other: Annotated[int | None, typer.Option("--with", help="Default: the one before it.")] = None,
) -> None:
    """How a version differs from another."""
    where = {"scope": scope, "key": key, "version": version, "other": other}
    found: dict[str, Any] = session.api.get(f"/state/{group}/changes", **where)
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.line(f"version {found['other']} to {found['version']}")
    session.out.rows(found["changes"], CHANGES, "They are the same.")


@command(app, "readers")
def readers(session: Session, group: Group, scope: Scope, key: Key) -> None:
    """Which operations have read a value, the last one first."""
    found = session.api.get(f"/state/{group}/readers", scope=scope, key=key)
    session.out.rows(found, READERS, "Nobody has read it.")


def short(value: object) -> str:
    """A value in a cell of a table: JSON, as `state get` prints it and `state set` takes it."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
