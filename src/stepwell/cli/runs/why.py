"""`stepwell why`: the sentence that says why something does not move."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stepwell.cli.render import instant
from stepwell.cli.schedules.commands import found_id
from stepwell.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "why")(why)


def why(
    session: Session,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    step: Annotated[
        str | None, typer.Argument(metavar="STEP", help="An operation's name, or a step's id.")
    ] = None,
    schedule: Annotated[
        bool,
        typer.Option("--schedule", help="RUN is a schedule, by name or id: why it starts no run."),
    ] = False,
) -> None:
    """Say why a run waits, or a step of it; since when, until when, and what can be done."""
    of = f"schedules/{found_id(session, run)}" if schedule else f"runs/{run}"
    found = session.api.get(f"/{of}/why", step=step)
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.line(found["sentence"])
    for line in _lines(found["reason"]):
        session.out.line(f"  {line}")
    for one in found["then_also"]:
        session.out.line(f"then also: {one['sentence']}")
    for name, seen in found["diagnostics"].items():
        session.out.line(f"  {name}: {seen}")


def _lines(reason: dict[str, Any] | None) -> list[str]:
    if reason is None:
        return []
    parts = {
        "since": instant(reason["since"]) if reason["since"] else "",
        "until": reason["changes"],
        "blocked by": _thing(reason["blocking"]),
        **{one["label"]: one["command"] for one in reason["actions"]},
        "code": reason["code"],
    }
    return [f"{name}: {said}" for name, said in parts.items() if said]


def _thing(blocking: dict[str, Any] | None) -> str:
    return f"{blocking['kind']} {blocking['name']}" if blocking else ""
