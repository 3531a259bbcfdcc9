"""`stepwell schedules pause | resume | skip | end-skips | fire | apply`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from stepwell.cli.options import Reason
from stepwell.cli.parameters import Params, parsed
from stepwell.cli.schedules.commands import FIELDS, Which, app, found_id, tell
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput


class PlanUnreadable(InvalidInput):
    """A file that is no plan of schedules."""

    code = "plan-unreadable"


@command(app, "pause")
def pause(
    session: Session,
    schedule: Which,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="INSTANT", help="Resume by itself then."),
    ] = None,
    reason: Reason = None,
) -> None:
    """Enter due instants as skipped from now on, until it is resumed."""
    body = {"reason": reason, "until": until}
    found = session.api.post(f"/schedules/{found_id(session, schedule)}/pauses", body)
    session.out.record(found, FIELDS)


@command(app, "resume")
def resume(session: Session, schedule: Which, reason: Reason = None) -> None:
    """Let it run again."""
    found = session.api.delete(f"/schedules/{found_id(session, schedule)}/pauses", reason=reason)
    session.out.record(found, FIELDS)


@command(app, "skip")
def skip(
    session: Session,
    schedule: Which,
    count: Annotated[int, typer.Option("--count", min=1, max=100, help="So many instants.")] = 1,
    reason: Reason = None,
) -> None:
    """Skip the next instant; the ledger says so when its time has come."""
    body = {"count": count, "reason": reason}
    tell(session, session.api.post(f"/schedules/{found_id(session, schedule)}/skips", body))


@command(app, "end-skips")
def end_skips(session: Session, schedule: Which, reason: Reason = None) -> None:
    """Let the instants run that were to be skipped."""
    path = f"/schedules/{found_id(session, schedule)}/skips"
    tell(session, session.api.delete(path, reason=reason))


@command(app, "fire")
def fire(
    session: Session,
    schedule: Which,
    due: Annotated[str, typer.Argument(metavar="INSTANT", help="As the ledger has it.")],
    param: Params = None,
    reason: Reason = None,
) -> None:
    """Run one instant that was missed, skipped or blocked."""
    body: dict[str, Any] = {"due_at": due, "reason": reason}
    if param:
        body["parameters"] = parsed(param)
    made = session.api.post(f"/schedules/{found_id(session, schedule)}/fires", body)
    if session.out.as_json:
        session.out.json(made)
    session.out.line(f"run {made['run_id']} begins")


@command(app, "apply")
def apply(
    session: Session,
    group: Annotated[str, typer.Argument(help="The workflow group.")],
    file: Annotated[Path, typer.Argument(help="The plan: JSON, or TOML where it ends so.")],
    reason: Reason = None,
) -> None:
    """Make a group's schedules as a file says: which workflows, when, with what parameters."""
    plan = _plan(file)
    if reason is not None:
        plan["reason"] = reason
    found = session.api.post(f"/groups/{group}/schedule-plans", plan)
    columns = {"schedule": "place", "what": "verb"}
    places = [
        {**one, "place": f"{group}/{one['workflow']}/{one['name']}"} for one in found["changes"]
    ]
    session.out.rows(places, columns, "Everything is so already.")


def _plan(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text()
        found = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise PlanUnreadable(
            f"{file} cannot be read as a plan.",
            why=str(error),
            fix='Write {"schedules": [{"workflow": ..., "spec": ..., "parameters": ...}]}.',
        ) from error
    if not isinstance(found, dict):
        raise PlanUnreadable(f"{file} is no plan.", fix="It is an object with `schedules`.")
    return found
