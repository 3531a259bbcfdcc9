"""`stepwell workflows`: what is in force, and how it went lately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Limit, OfGroup
from stepwell.cli.session import Session, command
from stepwell.cli.workflow import Named, words

app = typer.Typer(name="workflows", help="Workflows in force: list, show.", no_args_is_help=True)

COLUMNS: Final = {
    "workflow": "name",
    "last runs": "bars",
    "next due": "next_due",
    "release": "since",
    "owner": "owner",
    "description": "description",
}
FIELDS: Final = {
    "group": "group",
    "workflow": "workflow",
    "description": "description",
    "owner": "owner",
    "tags": "tags",
    "release": "since",
    "digest": "digest",
    "schedules": "schedules",
    "paused": "paused",
    "next due": "next_due",
    "last runs": "bars",
}
VERSIONS: Final = {
    "release": "release",
    "created": "created_at",
    "by": "created_by",
    "confirmed by": "confirmed_by",
    "reason": "reason",
    "digest": "digest",
}

MARKS: Final = {"succeeded": "#", "failed": "F", "superseded": "f", "cancelled": "c"}
"""How an outcome is drawn, the newest at the right; whatever has not ended is a dot."""


@command(app, "list")
def list_workflows(
    session: Session,
    group: OfGroup = None,
    text: Annotated[
        str | None,
        typer.Option("--text", help="In group, name, description, owner, tag or digest."),
    ] = None,
    limit: Limit = 100,
) -> None:
    """What is in force; the last runs are drawn, # succeeded, F failed, f failed and mended."""
    found = list(session.api.items("/workflows", limit, group=group, text=text))
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.rows([_drawn(one) for one in found], COLUMNS, "Nothing is in force yet.")


@command(app, "show")
def show(session: Session, workflow: Named) -> None:
    """One workflow: what its source declares, and the releases that changed it."""
    group, name = words(2, workflow)
    found = session.api.get(f"/workflows/{group}/{name}")
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.record(_drawn(found), FIELDS)
    names = " > ".join(one["name"] for one in found["entry"]["operations"])
    session.out.line(f"operations: {names}\n")
    session.out.rows(found["versions"], VERSIONS, "")


def _drawn(found: Mapping[str, Any]) -> dict[str, Any]:
    outcomes: Iterable[Mapping[str, Any]] = found["outcomes"]
    bars = "".join(MARKS.get(one["state"], ".") for one in outcomes)
    return {**found, "name": f"{found['group']}/{found['workflow']}", "bars": bars or None}
