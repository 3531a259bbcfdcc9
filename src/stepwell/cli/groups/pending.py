"""`stepwell groups reviews`: what waits for a decision, in all groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.groups.commands import app
from stepwell.cli.session import Session, command

COLUMNS: Final = {
    "group": "group",
    "found": "found_at",
    "release": "release",
    "what": "counts",
    "to decide": "pending",
    "held": "held",
    "risks": "risks",
    "proposal": "proposal_id",
}


@command(app, "reviews")
def reviews(
    session: Session,
    decided: Annotated[
        bool, typer.Option("--decided", help="Those that were decided instead.")
    ] = False,
) -> None:
    """Groups whose newest discovery waits for a decision; `groups review` shows one."""
    found = session.api.get("/reviews", state="decided" if decided else "waiting")["items"]
    empty = "Nothing was decided yet." if decided else "Nothing waits for a decision."
    session.out.rows(found, COLUMNS, empty, _shown)


def _shown(review: Mapping[str, Any]) -> Mapping[str, Any]:
    counts = [f"{count} {what}" for what, count in review["counts"].items() if count]
    lists = {name: review[name] for name in ("pending", "held", "risks")} | {"counts": counts}
    return {**review, **{name: ", ".join(texts) or None for name, texts in lists.items()}}
