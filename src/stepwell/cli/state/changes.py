"""`stepwell state set`, `delete`, `restore`, `export`, `import`: changes by people."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepwell.cli.client import ALL
from stepwell.cli.session import Session, command
from stepwell.cli.state.commands import Group, Key, Scope, app
from stepwell.errors import InvalidInput, NotFound

_AT_ONCE: Final = 500

Why = Annotated[str, typer.Option("--reason", help="For the audit log.")]
Seen = Annotated[
    int | None,
    typer.Option(
        "--expect-version",
        help="The version that you have seen, 0 for none; default: the one that is there now.",
    ),
]


@command(app, "set")
def set_value(
    session: Session,
    group: Group,
    scope: Scope,
    key: Key,
    value: Annotated[str, typer.Argument(help="JSON: 3, '\"text\"', '{\"a\": 1}'; - reads stdin.")],
    reason: Why,
    expect_version: Seen = None,
    ttl: Annotated[float | None, typer.Option("--ttl", help="Seconds until it expires.")] = None,
) -> None:
    """Write a value by hand, as a new version."""
    body = {"value": _json(sys.stdin.read() if value == "-" else value), "ttl": ttl}
    _edit(session, group, scope, key, body, reason, expect_version)


@command(app, "delete")
def delete(
    session: Session, group: Group, scope: Scope, key: Key, reason: Why, expect_version: Seen = None
) -> None:
    """Remove a value; its history stays, so it can be restored."""
    _edit(session, group, scope, key, {"delete": True}, reason, expect_version)


@command(app, "restore")
def restore(
    session: Session,
    group: Group,
    scope: Scope,
    key: Key,
    version: Annotated[int, typer.Argument(help="One of `stepwell state history`.")],
    reason: Why,
    expect_version: Seen = None,
) -> None:
    """Write the value of an earlier version again."""
    seen = _seen(session, group, scope, key, expect_version)
    body = {"version": version, "expect_version": seen, "reason": reason}
    path = f"/state/{group}/restores"
    _written(session, session.api.call("POST", path, body=body, query=_where(scope, key)))


@command(app, "export")
def export(
    session: Session,
    group: Group,
    scope: Annotated[str | None, typer.Option("--scope", help="Only of this scope.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: stdout.")
    ] = None,
) -> None:
    """The current values as JSON, for `stepwell state import`."""
    found = session.api.items("/state", ALL, group=group, scope=scope)
    names = ("scope", "key", "value", "expires_at")
    entries = [{name: one[name] for name in names} for one in found]
    text = json.dumps({"group": group, "entries": entries}, indent=1, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    output.write_text(text)
    session.out.line(f"{len(entries)} values are in {output}")


@command(app, "import")
def import_entries(
    session: Session,
    group: Group,
    source: Annotated[Path, typer.Argument(help="What `stepwell state export` has written.")],
    reason: Why,
    on_conflict: Annotated[
        str, typer.Option("--on-conflict", help="Where a key has a value: error, keep, replace.")
    ] = "error",
) -> None:
    """Write values of a file; each batch of 500 as a whole or not at all."""
    entries = _entries(source)
    total = {"written": 0, "left": 0}
    for start in range(0, len(entries), _AT_ONCE):
        some = entries[start : start + _AT_ONCE]
        body = {"entries": some, "on_conflict": on_conflict, "reason": reason}
        made = session.api.post(f"/state/{group}/imports", body)
        total = {name: total[name] + made[name] for name in total}
    if session.out.as_json:
        session.out.json(total)
    session.out.line(f"{total['written']} values written, {total['left']} left as they were")


def _edit(
    session: Session,
    group: str,
    scope: str,
    key: str,
    body: dict[str, Any],
    reason: str,
    expect_version: int | None,
) -> None:
    seen = _seen(session, group, scope, key, expect_version)
    whole = {**body, "expect_version": seen, "reason": reason}
    path = f"/state/{group}/edits"
    _written(session, session.api.call("POST", path, body=whole, query=_where(scope, key)))


def _seen(session: Session, group: str, scope: str, key: str, given: int | None) -> int:
    """The version to expect: as given, or what is there now; what was deleted counts as none."""
    if given is not None:
        return given
    try:
        entry = session.api.get(f"/state/{group}/entry", **_where(scope, key))
    except NotFound:
        return 0
    return int(entry["version"]) if entry["exists"] else 0


def _where(scope: str, key: str) -> dict[str, str]:
    return {"scope": scope, "key": key}


def _written(session: Session, entry: dict[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(entry)
    what = "deleted" if entry["deleted"] else f"now at version {entry['version']}"
    session.out.line(f"{entry['scope']}/{entry['key']} is {what}")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text[:40]!r} is no JSON.", why=f"{error}.", fix="Quote text: '\"like this\"'."
        ) from error


def _entries(source: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(source.read_text())["entries"]
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{source} cannot be read as an export.",
            why=f"{type(error).__name__}: {error}.",
            fix="Make it with `stepwell state export GROUP --output FILE`.",
        ) from error
