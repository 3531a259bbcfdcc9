"""`stepwell metrics`: how often things succeed, and how long they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import OfGroup, OfWorkflow
from stepwell.cli.render import named
from stepwell.cli.session import Session, command

COLUMNS: Final = {
    "workflow, operation": "name",
    "ok": "succeeded",
    "failed": "failed",
    "other": "other",
    "success": "success_rate",
    "average": "duration.average",
    "p50": "duration.p50",
    "p95": "duration.p95",
}


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    command(app, "metrics")(metrics)


def metrics(
    session: Session,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Whole hours from here on.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="INSTANT", help="Up to here.")] = None,
) -> None:
    """Success rates and durations of each workflow's runs, and of its operations."""
    query = {"group": group, "workflow": workflow, "from": since, "to": to}
    answer = session.api.get("/metrics", **query)
    if session.out.as_json:
        session.out.json(answer)
        return
    session.out.rows(answer["totals"], COLUMNS, "Nothing has ended in that time.", _shown)


def _shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
    operation = row["operation"]
    return {**row, "name": f"  {operation}" if operation else named(row)}
