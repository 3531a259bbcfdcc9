"""`stepwell schedules add | change | end-override | remove` (R31)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stepwell.cli.options import Reason
from stepwell.cli.parameters import Params, parsed
from stepwell.cli.schedules.commands import Which, app, found_id, place, tell
from stepwell.cli.schedules.timing import (
    At,
    CronText,
    End,
    Exclude,
    Jitter,
    OnMisfire,
    OnOverlap,
    Seconds,
    Start,
    Timezone,
    Timing,
)
from stepwell.cli.session import Session, command
from stepwell.cli.workflow import Apart, Named, parameters_schema, words
from stepwell.errors import InvalidInput

LateAfter = Annotated[
    int | None,
    typer.Option(
        "--late-after", min=0, metavar="SECONDS", help="Tell when its tick is later; 0 ends that."
    ),
]
TooLongAfter = Annotated[
    int | None,
    typer.Option(
        "--too-long-after",
        min=0,
        metavar="SECONDS",
        help="Tell when a run takes longer; 0 ends that.",
    ),
]


@command(app, "add")
def add(
    session: Session,
    workflow: Named,
    name: Annotated[str, typer.Argument(help="What to call it: night, weekend ...")],
    apart: Apart = None,
    cron: CronText = None,
    every: Seconds = None,
    once: At = None,
    timezone: Timezone = None,
    overlap: OnOverlap = None,
    misfire: OnMisfire = None,
    start: Start = None,
    end: End = None,
    jitter: Jitter = None,
    exclude: Exclude = None,
    late_after: LateAfter = None,
    too_long_after: TooLongAfter = None,
    param: Params = None,
    reason: Reason = None,
) -> None:
    """Add a schedule of your own to a workflow, beside the one from the source."""
    timing = _timing(locals())
    group, workflow, name = words(3, workflow, name, apart)
    body: dict[str, Any] = {"group": group, "workflow": workflow, "name": name}
    body |= {"spec": timing.spec(), "late_after": late_after, "too_long_after": too_long_after}
    if param:
        body["parameters"] = parsed(param, parameters_schema(session.api, group, workflow))
    tell(session, session.api.post("/schedules", body | {"reason": reason}))


@command(app, "change")
def change(
    session: Session,
    schedule: Which,
    cron: CronText = None,
    every: Seconds = None,
    once: At = None,
    timezone: Timezone = None,
    overlap: OnOverlap = None,
    misfire: OnMisfire = None,
    start: Start = None,
    end: End = None,
    jitter: Jitter = None,
    exclude: Exclude = None,
    late_after: LateAfter = None,
    too_long_after: TooLongAfter = None,
    param: Params = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="KEY", help="Take a parameter away; repeatable."),
    ] = None,
    reason: Reason = None,
) -> None:
    """Change when it is due, or its parameters; what is not named stays.

    One from the source is overridden by that, which needs a --reason; releases leave it
    alone then, until `stepwell schedules end-override`.
    """
    path = f"/schedules/{found_id(session, schedule)}"
    old = session.api.get(path)
    body: dict[str, Any] = {
        "spec": _timing(locals()).changed(old["spec"]),
        "parameters": _parameters(session, old, param, unset or []),
    }
    limits = {"late_after": late_after, "too_long_after": too_long_after}
    named = {key: value or None for key, value in limits.items() if value is not None}
    changed = {key: value for key, value in (body | named).items() if value != old[key]}
    if not changed:
        raise InvalidInput(
            "Nothing is to be changed.",
            why="No option was given, or it is so already.",
            fix="Say what to change: --cron, --overlap, --param ...",
        )
    tell(session, session.api.patch(path, changed | {"reason": reason}))


@command(app, "end-override")
def end_override(session: Session, schedule: Which, reason: Reason = None) -> None:
    """Put in force again what the source says; parameters of the override go with it."""
    path = f"/schedules/{found_id(session, schedule)}/override"
    tell(session, session.api.delete(path, reason=reason))


@command(app, "remove")
def remove(session: Session, schedule: Which, reason: Reason = None) -> None:
    """Take away a schedule that was added by hand; its ledger stays."""
    path = f"/schedules/{found_id(session, schedule)}"
    old = session.api.get(path)
    session.api.delete(path, reason=reason)
    if session.out.as_json:
        session.out.json({"id": old["id"], "what": "removed"})
    session.out.line(f"The schedule {place(old)} is removed.")


def _timing(given: dict[str, Any]) -> Timing:
    return Timing(**{name: given[name] for name in Timing.__dataclass_fields__})


def _parameters(
    session: Session, old: dict[str, Any], param: list[str] | None, unset: list[str]
) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if param:
        given = parsed(param, parameters_schema(session.api, old["group"], old["workflow"]))
    made: dict[str, Any] = old["parameters"] | given
    return {key: value for key, value in made.items() if key not in unset}
