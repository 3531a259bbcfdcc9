"""`stepwell reports`: what operations have shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from stepwell.cli.session import Session, command

app = typer.Typer(name="reports", help="Reports: list, get.", no_args_is_help=True)

COLUMNS: Final = {
    "id": "id",
    "group": "group",
    "workflow": "workflow",
    "operation": "operation",
    "name": "name",
    "kind": "kind",
    "size": "size",
    "created": "created_at",
}


@command(app, "list")
def list_reports(
    session: Session,
    run: Annotated[str | None, typer.Option("--run", help="Only this run's.")] = None,
    group: Annotated[str | None, typer.Option("--group")] = None,
    workflow: Annotated[str | None, typer.Option("--workflow")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 20,
) -> None:
    """The reports, newest first."""
    query = {"run_id": run, "group": group, "workflow": workflow}
    session.out.rows(list(session.api.items("/reports", limit, **query)), COLUMNS, "No reports.")


@command(app, "get")
def get(
    session: Session,
    report_id: Annotated[str, typer.Argument(metavar="ID")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: stdout.")
    ] = None,
) -> None:
    """A report's content, as it was written."""
    content = session.api.raw("GET", f"/reports/{report_id}/content").content
    if output is None:
        sys.stdout.buffer.write(content)
        return
    output.write_bytes(content)
    session.out.line(f"{len(content):,} bytes are in {output}")
