"""`stepwell reports`: what operations have shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Limit, OfGroup, OfWorkflow
from stepwell.cli.render import named
from stepwell.cli.session import Session, command

app = typer.Typer(name="reports", help="Reports: list, get.", no_args_is_help=True)

COLUMNS: Final = {
    "id": "id",
    "of": "operation",
    "name": "name",
    "kind": "kind",
    "bytes": "size",
    "created": "created_at",
}


@command(app, "list")
def list_reports(
    session: Session,
    run: Annotated[str | None, typer.Option("--run", help="Only this run's.")] = None,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    limit: Limit = 20,
) -> None:
    """The reports, newest first."""
    query = {"run_id": run, "group": group, "workflow": workflow}
    found = list(session.api.items("/reports", limit, **query))
    session.out.rows(found, COLUMNS, "There are no such reports.", _shown)


@command(app, "get")
def get(
    session: Session,
    report_id: Annotated[str, typer.Argument(metavar="ID", help="The report's id.")],
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


def _shown(report: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**report, "operation": f"{named(report)}/{report['operation']}"}
