"""`stepwell discoveries`: what came of looking into an image."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from stepwell.cli.options import Limit
from stepwell.cli.session import Session, command

app = typer.Typer(
    name="discoveries", help="What came of looking into images: list, show.", no_args_is_help=True
)

COLUMNS: Final = {
    "id": "id",
    "group": "group_name",
    "state": "state",
    "trigger": "trigger",
    "created": "created_at",
    "digest": "digest",
    "error": "error.what",
}
FIELDS: Final = {
    "id": "id",
    "group": "group_name",
    "state": "state",
    "trigger": "trigger",
    "requested by": "requested_by",
    "created": "created_at",
    "finished": "finished_at",
    "digest": "digest",
}


@command(app, "list")
def list_discoveries(
    session: Session,
    group: Annotated[str, typer.Argument(help="The workflow group.")],
    limit: Limit = 20,
) -> None:
    """The discoveries of a group, newest first."""
    found = list(session.api.items(f"/groups/{group}/discoveries", limit))
    session.out.rows(found, COLUMNS, "This group was never discovered.")


@command(app, "show")
def show(
    session: Session,
    discovery_id: Annotated[str, typer.Argument(metavar="ID", help="The discovery's id.")],
) -> None:
    """One discovery: its state, its workflows or its error, and what the image wrote."""
    found = session.api.get(f"/discoveries/{discovery_id}")
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.record(found, FIELDS)
    for label in ("what", "why", "fix", "code"):
        if (found["error"] or {}).get(label):
            session.out.line(f"{label}: {found['error'][label]}")
    for workflow in (found["manifest"] or {}).get("workflows", []):
        names = " > ".join(one["name"] for one in workflow["operations"])
        session.out.line(f"workflow {workflow['name']}: {names}")
    if found["output"]:
        session.out.line(f"\noutput:\n{found['output'].rstrip()}")
