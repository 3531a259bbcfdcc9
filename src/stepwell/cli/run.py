"""`stepwell run`: a workflow of a local file, here and now, without a server."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from stepwell.cli.exits import WorkFailed
from stepwell.cli.parameters import Params, texts
from stepwell.cli.serving.serve import PartMissing
from stepwell.cli.session import Session, command
from stepwell.events import Event

if TYPE_CHECKING:
    from stepwell.workflows.local import RunResult
    from stepwell.workflows.manifest import WorkflowEntry

COLUMNS: Final = {
    "operation": "name",
    "outcome": "outcome",
    "took": "duration",
    "tries": "attempts",
    "error": "error",
}


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    command(app, "run", remote=False)(run)


def run(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A Python file or package.")],
    workflow: Annotated[
        str | None,
        typer.Argument(help="Its name, or its class's name; without one they are listed."),
    ] = None,
    param: Params = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="A JSON file for the state; else nothing is kept."),
    ] = None,
    reports: Annotated[Path, typer.Option("--reports", help="A folder for the reports.")] = Path(
        "reports"
    ),
) -> None:
    """Run a workflow of a local file here and now, without a server.

    The exit code is 1 if the run fails.
    """
    _needs_workflows()
    from stepwell.workflows import local  # noqa: PLC0415 - needs what was looked for

    if workflow is None:
        _tell_workflows(session, path, local.workflows_of(path))
        return
    result = local.run_local(
        path,
        workflow,
        texts(param),
        reports_dir=reports,
        state_file=state,
        echo=lambda stream, line: session.out.note(line.rstrip()),
        on_event=lambda event: _tell_failure(session, event),
    )
    _tell(session, result)
    if result.state == "failed":
        raise _failed(workflow, result)


def _tell_workflows(session: Session, path: Path, found: list[WorkflowEntry]) -> None:
    rows = [
        {
            "name": one.name,
            "description": one.description.partition("\n")[0],
            "parameters": list(one.parameters.get("properties", ())),
        }
        for one in found
    ]
    columns = {"workflow": "name", "parameters": "parameters", "description": "description"}
    session.out.rows(
        rows,
        columns,
        "It has no workflows.",
        lambda row: {**row, "parameters": ", ".join(row["parameters"])},
    )
    if found:
        session.out.note(f"run one: stepwell run {path} {found[0].name}")


def _tell_failure(session: Session, event: Event) -> None:
    """An attempt that failed, as it happens: a retry may be minutes away."""
    if event.name == "step.executed" and event.fields["error"]:
        operation = str(event.fields["name"]).rpartition("/")[2]
        again = "" if event.fields["ended_as"] else ", will be tried again"
        first_line = str(event.fields["error"]).removeprefix("AttemptFailed: ").partition("\n")[0]
        session.out.note(f"{operation} failed{again}: {first_line}")


def _tell(session: Session, result: RunResult) -> None:
    if session.out.as_json:
        session.out.json(asdict(result))
        return
    rows: list[dict[str, Any]] = [asdict(one) for one in result.operations]
    for row in rows:
        row["error"] = (row["error"] or "").partition("\n")[0]
    session.out.rows(rows, COLUMNS, "It has no operations.")
    for path in result.reports:
        session.out.line(f"report {path}")
    warned = f", warnings: {result.warnings}" if result.warnings else ""
    session.out.line(f"the run {result.state}{warned}")


def _failed(workflow: str, result: RunResult) -> WorkFailed:
    failed = next(one for one in result.operations if one.outcome == "failed")
    return WorkFailed(
        f"The run of {workflow!r} failed in {failed.name!r}.",
        why=failed.error or "",
        fix="Mend the operation and run it again; what it saved was not kept.",
    )


def _needs_workflows() -> None:
    missing = [one for one in ("pydantic", "urllib3") if find_spec(one) is None]
    if missing:
        raise PartMissing(
            f"`stepwell run` needs {', '.join(missing)}, not installed here.",
            fix="Run: pip install 'stepwell[cli,workflows]'",
        )
