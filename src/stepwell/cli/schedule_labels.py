"""`stepwell schedules label`: what a schedule's runs are found by."""

from __future__ import annotations

from typing import Annotated

import typer

from stepwell.cli.options import Reason
from stepwell.cli.parameters import texts
from stepwell.cli.schedules import Which, app, found_id
from stepwell.cli.session import Session, command


@command(app, "label")
def label(
    session: Session,
    schedule: Which,
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE ...", help="What to set.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="KEY", help="Repeatable.")
    ] = None,
    reason: Reason = None,
) -> None:
    """Set the labels that a schedule gives to its runs; those that are not named stay."""
    path = f"/schedules/{found_id(session, schedule)}/labels"
    before = session.api.get(path)["labels"]
    kept = {key: one for key, one in before.items() if key not in (remove or ())}
    made = session.api.post(path, {"labels": kept | texts(labels), "reason": reason})
    said = ", ".join(f"{key}:{value}" for key, value in made["labels"].items())
    session.out.answer(made, said or "no labels")
