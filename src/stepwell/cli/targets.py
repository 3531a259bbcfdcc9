"""`stepwell targets`: what workflows are held to, and how much of the budget is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import OfGroup, OfWorkflow, Reason
from stepwell.cli.session import Session, command
from stepwell.cli.workflow import Named, words

app = typer.Typer(
    name="targets", help="Targets of workflows: list, set, drop.", no_args_is_help=True
)

COLUMNS: Final = {
    "workflow": "name",
    "target": "objective",
    "wanted": "target",
    "actual": "actual",
    "runs": "judged",
    "missed by": "used",
    "may": "allowed",
    "budget left": "budget_left_rate",
    "met": "met",
    "from": "origin",
}


@command(app, "list")
def list_targets(session: Session, group: OfGroup = None, workflow: OfWorkflow = None) -> None:
    """Each target with what is so, and how much of its budget is left."""
    found = session.api.get("/targets", group=group, workflow=workflow)
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.rows(list(_rows(found)), COLUMNS, "No workflow has targets.")


@command(app, "set")
def set_targets(
    session: Session,
    workflow: Named,
    success: Annotated[
        float | None, typer.Option("--success", help="The share of runs that succeed: 0.99.")
    ] = None,
    p95: Annotated[
        float | None, typer.Option("--p95", help="Seconds that 95 % of the runs do not exceed.")
    ] = None,
    window: Annotated[int, typer.Option("--window", help="Days over which it is judged.")] = 30,
    reason: Reason = None,
) -> None:
    """Hold a workflow to this, in place of what its source says."""
    group, name = words(2, workflow)
    body = {"success": success, "p95": p95, "window": window, "reason": reason}
    made = session.api.put(f"/targets/{group}/{name}", body)
    session.out.answer(made, f"{workflow} is held to this from now on.")


@command(app, "drop")
def drop_targets(session: Session, workflow: Named, reason: Reason = None) -> None:
    """Hold a workflow to what its source says again."""
    group, name = words(2, workflow)
    session.api.delete(f"/targets/{group}/{name}", reason=reason)
    session.out.answer({"dropped": workflow}, f"{workflow} is held to what its source says.")


def _rows(found: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in found:
        for each in one["objectives"]:
            left = each["budget_left"]
            more = {"name": f"{one['group']}/{one['workflow']}", "origin": one["origin"]}
            allowed = f"{each['allowed']:.1f}"
            yield {**each, **more, "budget_left_rate": left, "allowed": allowed}
