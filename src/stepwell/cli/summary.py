"""`stepwell summary`: whether everything is all right, in a sentence and a few lines."""

from __future__ import annotations

import typer

from stepwell.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "summary")(summary)


def summary(session: Session) -> None:
    """Whether everything is all right, and if not, what comes first."""
    found = session.api.get("/summary")
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.line(found["sentence"])
    counts = found["counts"]
    session.out.line(f"{counts['running']} running, {counts['waiting']} waiting")
    for one in found["waiting"]:
        session.out.line(f"  {one['count']} waiting: {one['sentence']}")
    for part in found["health"]:
        if part["state"] != "ok":
            session.out.line(f"{part['state']}: {part['sentence']}")
