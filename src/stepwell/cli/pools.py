"""`stepwell pools`: how many runs go on at once, of a pool, a group or a workflow."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Reason
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput

app = typer.Typer(
    name="pools",
    help="How many runs go on at once, of a pool, a group or a workflow: list, set, remove.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "kind": "kind",
    "name": "name",
    "slots": "slots",
    "held": "held",
    "in line": "waiting",
    "by": "changed_by",
    "reason": "reason",
}

Pool = Annotated[str | None, typer.Argument(metavar="POOL", help="The pool's name.")]
Group = Annotated[str | None, typer.Option("--group", help="A group, instead of a pool.")]
Workflow = Annotated[
    str | None, typer.Option("--workflow", metavar="GROUP/WORKFLOW", help="A workflow, instead.")
]


@command(app, "list")
def list_pools(session: Session) -> None:
    """What limits runs: slots, who holds them, and how many are in line."""
    found = session.api.get("/run-limits")["items"]
    session.out.rows(found, COLUMNS, "Nothing limits how many runs go on at once.")


@command(app, "set")
def set_pool(
    session: Session,
    slots: Annotated[int, typer.Option("--slots", min=0, help="0 lets none begin.")],
    pool: Pool = None,
    group: Group = None,
    workflow: Workflow = None,
    reason: Reason = None,
) -> None:
    """Let at most so many runs go on at once; those over it wait in line."""
    body = {**_place(pool, group, workflow), "slots": slots, "reason": reason}
    made = session.api.post("/run-limits", body)
    said = f"{made['kind']} {made['name']}: {slots} at once, {made['held']} go on"
    session.out.answer(made, f"{said}, {made['waiting']} in line")


@command(app, "remove")
def remove(
    session: Session,
    pool: Pool = None,
    group: Group = None,
    workflow: Workflow = None,
    reason: Reason = None,
) -> None:
    """Let what the source declares count again."""
    place = _place(pool, group, workflow)
    session.api.delete("/run-limits", **place, reason=reason)
    session.out.answer(place, f"{place['kind']} {place['name']}: removed")


def _place(pool: str | None, group: str | None, workflow: str | None) -> dict[str, Any]:
    given = {"pool": pool, "group": group, "workflow": workflow}
    named = {kind: name for kind, name in given.items() if name is not None}
    if len(named) != 1:
        raise InvalidInput(
            "Name one pool, group or workflow.",
            fix="For example: stepwell pools set etl-db --slots 4",
        )
    ((kind, name),) = named.items()
    return {"kind": kind, "name": name}
