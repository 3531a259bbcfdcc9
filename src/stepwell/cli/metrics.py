"""`stepwell metrics`: how often things succeed, and how long they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

import typer

from stepwell.cli.options import OfGroup, OfWorkflow
from stepwell.cli.render import named
from stepwell.cli.session import Session, command, default

app = typer.Typer(
    name="metrics",
    help="Success rates and durations: totals, series, rankings, causes, regressions.",
)

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
POINTS: Final = {**COLUMNS, "at": "at", "retried": "retried", "p99": "duration.p99"}
RANKED: Final = {**COLUMNS, "average x": "average_x", "p95 x": "p95_x"}
WAITS: Final = {
    "waits": "reason",
    "times": "count",
    "share": "share_rate",
    "average": "duration.average",
    "p95": "duration.p95",
}
CAUSES: Final = {
    "runs": "count",
    "cause": "cause",
    "workflows": "workflows",
    "first": "first_at",
    "last": "last_at",
    "release": "release",
    "what": "sentence",
}
REGRESSIONS: Final = {
    "workflow, operation": "name",
    "release": "release",
    "measure": "measure",
    "before": "before",
    "after": "after",
    "of": "judged_before",
    "and": "judged_after",
    "chance": "chance",
}

Since: TypeAlias = Annotated[
    str | None,
    typer.Option("--from", metavar="INSTANT", help="From here on; the last 24 hours by default."),
]
To: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="INSTANT", help="Up to here; now by default.")
]
AsCsv: TypeAlias = Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")]


@default(app)
def metrics(
    session: Session,
    ctx: typer.Context,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    since: Since = None,
    to: To = None,
) -> None:
    """Success rates and durations of each workflow's runs, and of its operations."""
    if ctx.invoked_subcommand is not None:
        return
    query = {"group": group, "workflow": workflow, "from": since, "to": to}
    answer = session.api.get("/metrics", **query)
    if session.out.as_json:
        session.out.json(answer)
        return
    session.out.rows(answer["totals"], COLUMNS, "Nothing has ended in that time.", _shown)


@command(app, "query")
def query(
    session: Session,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    operation: Annotated[str | None, typer.Option("--operation", help="Only this one.")] = None,
    since: Since = None,
    to: To = None,
    step: Annotated[str | None, typer.Option("--step", help="hour or day.")] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="With the time before, as long.")
    ] = False,
    as_csv: AsCsv = False,
) -> None:
    """A series: hour by hour or day by day (UTC), its total, and what runs waited for."""
    asked = {"group": group, "workflow": workflow, "operation": operation, "step": step}
    asked |= {"from": since, "to": to, "compare": str(compare).lower()}
    if as_csv:
        print(session.api.raw("GET", "/metrics/query", query={**asked, "format": "csv"}).text)
        return
    answer = session.api.get("/metrics/query", **asked)
    if session.out.as_json:
        session.out.json(answer)
        return
    columns = {"at": "at", **{k: v for k, v in POINTS.items() if v not in ("name", "at")}}
    session.out.rows(answer["points"], columns, "Nothing has ended in that time.")
    waits = [{**one, "share_rate": one["share"]} for one in answer["total"]["waits"]]
    session.out.rows(waits, WAITS, "Nothing has waited.")


@command(app, "ranking")
def ranking(
    session: Session,
    by: Annotated[str, typer.Option("--by", help="group, workflow or operation.")] = "workflow",
    order: Annotated[
        str, typer.Option("--order", help="average, time, failed, error-rate or count.")
    ] = "average",
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    since: Since = None,
    to: To = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="So many.")] = 20,
    as_csv: AsCsv = False,
) -> None:
    """The slowest, or the most often failed, and how they changed since the time before."""
    asked = {"by": by, "order": order, "group": group, "workflow": workflow, "limit": limit}
    asked |= {"from": since, "to": to}
    if as_csv:
        print(session.api.raw("GET", "/metrics/ranking", query={**asked, "format": "csv"}).text)
        return
    answer = session.api.get("/metrics/ranking", **asked)
    if session.out.as_json:
        session.out.json(answer)
        return
    session.out.rows(answer["rows"], RANKED, "Nothing has ended in that time.", _ranked)


@command(app, "causes")
def causes(
    session: Session,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    since: Since = None,
    to: To = None,
) -> None:
    """Why runs failed most often; the last 7 days by default."""
    asked = {"group": group, "workflow": workflow, "from": since, "to": to}
    answer = session.api.get("/metrics/causes", **asked)
    if session.out.as_json:
        session.out.json(answer)
        return
    session.out.rows(answer["causes"], CAUSES, "No run has failed in that time.")


@command(app, "regressions")
def regressions(session: Session, group: OfGroup = None, workflow: OfWorkflow = None) -> None:
    """What became worse with a release, by more than chance explains."""
    answer = session.api.get("/metrics/regressions", group=group, workflow=workflow)
    if session.out.as_json:
        session.out.json(answer)
        return
    nothing = f"Nothing became worse; {answer['compared']} releases were compared."
    session.out.rows(answer["regressions"], REGRESSIONS, nothing, _ranked)


def _shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
    operation = row["operation"]
    return {**row, "name": f"  {operation}" if operation else named(row)}


def _ranked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    parts = (row["group"], row["workflow"], row["operation"])
    short = {key: f"{row[key]:.3g}" for key in ("before", "after", "chance") if key in row}
    change = {
        key: None if value is None else f"{value:.2f}"
        for key, value in (row.get("change") or {}).items()
    }
    shown = {"average_x": change.get("average"), "p95_x": change.get("p95")}
    return {**row, **short, **shown, "name": "/".join(part for part in parts if part)}
