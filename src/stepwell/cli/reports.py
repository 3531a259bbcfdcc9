"""`stepwell reports`: what operations have shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Limit, OfGroup, OfWorkflow, Reason
from stepwell.cli.render import named
from stepwell.cli.session import Session, command
from stepwell.cli.state.commands import CHANGES
from stepwell.cli.workflow import Apart, Named, words

app = typer.Typer(
    name="reports",
    help="Reports: list, show, download, latest, compare, share, badge.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "id": "id",
    "of": "operation",
    "name": "name",
    "kind": "kind",
    "bytes": "size",
    "created": "created_at",
}
FIELDS: Final = {
    "id": "id",
    "group": "group",
    "workflow": "workflow",
    "operation": "operation",
    "name": "name",
    "kind": "kind",
    "media type": "media_type",
    "bytes": "size",
    "run": "run_id",
    "created": "created_at",
    "kept until": "keep_until",
    "of a failed attempt": "of_failure",
}

Id = Annotated[str, typer.Argument(metavar="ID", help="The report's id.")]
To = Annotated[Path | None, typer.Option("--output", "-o", help="A file; default: stdout.")]


@command(app, "list")
def list_reports(
    session: Session,
    run: Annotated[str | None, typer.Option("--run", help="Only this run's.")] = None,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    name: Annotated[str | None, typer.Option("--name", help="Only of this name.")] = None,
    limit: Limit = 20,
) -> None:
    """The reports, newest first."""
    query = {"run_id": run, "group": group, "workflow": workflow, "name": name}
    found = list(session.api.items("/reports", limit, **query))
    session.out.rows(found, COLUMNS, "There are no such reports.", _shown)


@command(app, "show")
def show(session: Session, report_id: Id) -> None:
    """What is known of a report besides its content."""
    session.out.record(session.api.get(f"/reports/{report_id}"), FIELDS)


@command(app, "get", hidden=True)
@command(app, "download")
def download(session: Session, report_id: Id, output: To = None) -> None:
    """A report's content, as it was written."""
    _save(session, f"/reports/{report_id}/content", {}, output)


@command(app, "latest")
def latest(
    session: Session,
    workflow: Named,
    name: Annotated[str, typer.Argument(help="The report's name.")],
    apart: Apart = None,
    output: To = None,
) -> None:
    """The content of the newest report of a name; with --json, what is known of it."""
    group, workflow, name = words(3, workflow, name, apart)
    where = {"group": group, "workflow": workflow, "name": name}
    if session.out.as_json:
        session.out.json(session.api.get("/reports/latest", **where))
        return
    _save(session, "/reports/latest/content", where, output)


@command(app, "compare")
def compare(
    session: Session,
    report_id: Id,
    other: Annotated[
        str | None, typer.Option("--with", metavar="ID", help="Default: the one before it.")
    ] = None,
) -> None:
    """How a report differs from the one of the same name before it."""
    found = session.api.get(f"/reports/{report_id}/comparison", other=other)
    if session.out.as_json:
        session.out.json(found)
    elif found["previous"] is None:
        session.out.line("There is none of this name before it.")
    elif found["diff"]:
        session.out.written("\n".join(found["diff"]))
    else:
        empty = "They are the same." if found["same"] else "Their bytes differ."
        session.out.rows(found["changes"], CHANGES, empty)


@command(app, "share")
def share(
    session: Session,
    report_id: Id,
    days: Annotated[float, typer.Option("--days", help="So long the link works.")] = 7.0,
    latest: Annotated[
        bool, typer.Option("--latest", help="Always the newest report of this name.")
    ] = False,
    reason: Reason = None,
) -> None:
    """A link that shows a report to people without an account, until it expires."""
    body = {"days": days, "latest": latest, "reason": reason}
    _link(session, session.api.post(f"/reports/{report_id}/shares", body))


@command(app, "badge")
def badge(
    session: Session,
    workflow: Named,
    apart: Apart = None,
    days: Annotated[float, typer.Option("--days", help="So long the link works.")] = 366.0,
    reason: Reason = None,
) -> None:
    """A link to a drawing (SVG) that says whether the workflow's last run succeeded."""
    group, name = words(2, workflow, apart)
    body = {"days": days, "reason": reason}
    _link(session, session.api.post(f"/workflows/{group}/{name}/badges", body))


def _save(session: Session, path: str, where: dict[str, Any], output: Path | None) -> None:
    content = session.api.raw("GET", path, query=where).content
    if output is None:
        sys.stdout.buffer.write(content)
        return
    output.write_bytes(content)
    session.out.line(f"{len(content):,} bytes are in {output}")


def _link(session: Session, link: dict[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(link)
    session.out.line(link["url"])
    session.out.note(f"it works until {link['expires_at']}")


def _shown(report: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**report, "operation": f"{named(report)}/{report['operation']}"}
