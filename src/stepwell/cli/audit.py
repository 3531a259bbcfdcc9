"""`stepwell audit`: who did what, to what, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Limit
from stepwell.cli.session import Session, command

app = typer.Typer(name="audit", help="The audit log: list, export.", no_args_is_help=True)

COLUMNS: Final = {
    "at": "at",
    "who": "actor",
    "what": "action",
    "target": "target",
    "reason": "reason",
    "from": "address",
}

Actor = Annotated[str | None, typer.Option("--actor", help="Only what they did.")]
Action = Annotated[str | None, typer.Option("--action", help="For example schedule.pause.")]
Target = Annotated[str | None, typer.Option("--target", help="Only what was done to it.")]
Since = Annotated[str | None, typer.Option("--since", help="From here on; ISO, with a zone.")]
Until = Annotated[str | None, typer.Option("--until", help="Before this; ISO, with a zone.")]


@command(app, "list")
def list_entries(
    session: Session,
    actor: Actor = None,
    action: Action = None,
    target: Target = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
) -> None:
    """Entries, newest first."""
    wanted = _query(actor, action, target, since, until)
    found = list(session.api.items("/audit", limit, **wanted))
    session.out.rows(found, COLUMNS, "Nothing was done.")


@command(app, "export")
def export(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Its name ends in .csv or .json.")],
    actor: Actor = None,
    action: Action = None,
    target: Target = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write all entries that fit into a file: CSV, or JSON if its name ends so."""
    kind = "json" if file.suffix == ".json" else "csv"
    query = _query(actor, action, target, since, until)
    answer = session.api.raw("GET", "/audit/export", query={**query, "format": kind})
    file.write_bytes(answer.content)
    session.out.answer({"file": str(file)}, f"{file} has {len(answer.content):,} bytes.")


def _query(*values: str | None) -> dict[str, Any]:
    return dict(zip(("actor", "action", "target", "since", "until"), values, strict=True))
