"""`stepwell steps lineage`: which step made which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Store
from stepwell.cli.session import Session, command
from stepwell.cli.steps.books import book_for
from stepwell.cli.steps.commands import Id, app, id_of

_COLUMNS: Final = {"step": "drawn", "status": "status", "id": "id"}
_WORDS: Final = {"spawned": "", "copied": "copy: ", "awaited": "awaits: "}


@command(app, "lineage")
def lineage(
    session: Session,
    step_id: Id,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Steps at most.")] = 200,
    store: Store = None,
) -> None:
    """The steps around one: what it was spawned by, what it spawned, and copies of them."""
    found = book_for(session, store).lineage(id_of(step_id), limit)
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.rows(_drawn(found), _COLUMNS, "No step is near it.")
    if found["more"]:
        session.out.note(f"There are more than these {limit}.")


def _drawn(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes, each below the one that it comes from, further to the right."""
    below: dict[str, list[tuple[str, str]]] = {}
    for edge in found["edges"]:
        below.setdefault(edge["earlier"], []).append((edge["later"], edge["kind"]))
    nodes = {node["id"]: node for node in found["nodes"]}
    later = {edge["later"] for edge in found["edges"]}
    rows: dict[str, dict[str, Any]] = {}

    def draw(step: str, depth: int, kind: str) -> None:
        if step in rows:
            return
        node = nodes[step]
        rows[step] = {**node, "drawn": f"{'  ' * depth}{_WORDS[kind]}{node['name']}"}
        for other, how in below.get(step, []):
            draw(other, depth + 1, how)

    for step in [one for one in nodes if one not in later] or list(nodes):
        draw(step, 0, "spawned")
    return list(rows.values())
