"""`stepwell schedules`: when work begins by itself, and the book of what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from stepwell.cli.client import ALL
from stepwell.cli.groups import discovered
from stepwell.cli.options import Limit, OfGroup
from stepwell.cli.parameters import Params, did_you_mean, parsed
from stepwell.cli.render import instant, named
from stepwell.cli.schedules.timing import (
    At,
    CronText,
    End,
    Exclude,
    Jitter,
    OnOverlap,
    Seconds,
    Start,
    Timezone,
    Timing,
)
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput, NotFound

app = typer.Typer(
    name="schedules",
    help="When workflows begin by themselves, and the book of what became of each instant.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "schedule": "place",
    "when": "description",
    "next due": "next_due",
    "last": "last.fate",
    "origin": "origin",
    "paused": "paused_at",
}
FIELDS: Final = {
    "id": "id",
    "group": "group",
    "workflow": "workflow",
    "name": "name",
    "when": "description",
    "spec": "spec",
    "parameters": "parameters",
    "origin": "origin",
    "because": "override_reason",
    "changed by": "changed_by",
    "in the source": "said",
    "version": "version",
    "next due": "next_due",
    "last": "last.fate",
    "last because": "last.why",
    "paused": "paused_at",
    "paused because": "pause_reason",
    "paused until": "paused_until",
    "late after": "late_after",
    "too long after": "too_long_after",
}
LEDGER: Final = {
    "due": "when",
    "times": "count",
    "fate": "fate",
    "why": "why",
    "run": "run_id",
    "backfilled": "made_up",
}

Which = Annotated[
    str, typer.Argument(metavar="SCHEDULE", help="GROUP/WORKFLOW, GROUP/WORKFLOW/NAME, or its id.")
]


class ScheduleUnknown(NotFound):
    """No schedule is called so."""

    code = "schedule-unknown"


class ScheduleAmbiguous(InvalidInput):
    """The workflow has several schedules."""

    code = "schedule-ambiguous"


@command(app, "list")
def list_schedules(
    session: Session,
    group: OfGroup = None,
    last: Annotated[
        str | None, typer.Option("--last", help="Whose last fire became: skipped, missed ...")
    ] = None,
) -> None:
    """All schedules, with when each is due next."""
    found = list(session.api.items("/schedules", ALL, group=group, last=last))
    empty = "There are no schedules: they come with an approved release."
    empty = empty if last is None else f"No schedule's last fire was {last}."
    overridden = any(one["origin"] == "overridden" for one in found)
    columns = COLUMNS | ({"in the source": "said"} if overridden else {})
    session.out.rows(found, columns, empty, _row)


@command(app, "show")
def show(session: Session, schedule: Which) -> None:
    """One schedule with its next fires."""
    tell(session, session.api.get(f"/schedules/{found_id(session, schedule)}"))


@command(app, "preview")
def preview(
    session: Session,
    schedule: Annotated[
        str | None,
        typer.Argument(metavar="SCHEDULE", help="One that is to be changed, by these options."),
    ] = None,
    cron: CronText = None,
    every: Seconds = None,
    once: At = None,
    timezone: Timezone = None,
    overlap: OnOverlap = None,
    start: Start = None,
    end: End = None,
    jitter: Jitter = None,
    exclude: Exclude = None,
    count: Annotated[int, typer.Option("--count", min=1, max=100)] = 10,
) -> None:
    """When a schedule would be due, and what the clock, calendars and long runs do to it."""
    given = {key: value for key, value in locals().items() if key in Timing.__dataclass_fields__}
    timing, body = Timing(**given), dict[str, Any](count=count)
    if schedule is None:
        body |= {"spec": timing.spec()}
    else:
        old = session.api.get(f"/schedules/{found_id(session, schedule)}")
        body |= {"spec": timing.changed(old["spec"]), "schedule_id": old["id"]}
    found = session.api.post("/schedule-previews", body)
    if session.out.as_json:
        session.out.json(found)
    session.out.line(found["description"])
    tell_fires(session, found)


@command(app, "run")
def run_now(session: Session, schedule: Which, param: Params = None) -> None:
    """Run it now, beside its own times."""
    body = {"parameters": parsed(param)} if param else {}
    made = session.api.post(f"/schedules/{found_id(session, schedule)}/runs", body)
    if session.out.as_json:
        session.out.json(made)
    session.out.line(f"run {made['run_id']} begins")


@command(app, "ledger")
def ledger(
    session: Session,
    schedule: Which,
    limit: Limit = 20,
) -> None:
    """The book of every due instant, newest first: ran, skipped, missed or blocked."""
    path = f"/schedules/{found_id(session, schedule)}/ledger"
    found = list(session.api.items(path, limit))
    session.out.rows(found, LEDGER, "Nothing was due yet.", _line)


def tell(session: Session, schedule: dict[str, Any]) -> None:
    """A schedule with its next fires."""
    if session.out.as_json:
        session.out.json(schedule)
        return
    session.out.record(schedule | {"said": _said(schedule)}, FIELDS)
    tell_fires(session, schedule)


def place(schedule: Mapping[str, Any]) -> str:
    """`group/workflow`, and the schedule's name where it is not the default one."""
    name = "" if schedule["name"] == "default" else f"/{schedule['name']}"
    return named(schedule) + name


def _row(schedule: Mapping[str, Any]) -> Mapping[str, Any]:
    origin = schedule["origin"]
    if origin == "overridden":
        origin += f" by {schedule['changed_by']}: {schedule['override_reason']}"
    said = _said(schedule)
    return {**schedule, "place": place(schedule), "origin": origin, "said": said}


def _said(schedule: Mapping[str, Any]) -> str | None:
    """What the source says beside an override, and whether that differs."""
    if schedule["origin"] != "overridden":
        return None
    said = discovered.scheduled({"schedule": schedule["source"]})
    return f"differs: {said}" if schedule["source_differs"] else f"the same: {said}"


def _line(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    first, last = instant(entry["first_due"]), instant(entry["last_due"])
    made_up = entry["backfilled"]
    said = f"{made_up} of {entry['count']}" if made_up and entry["count"] > 1 else made_up or None
    when = first if first == last else f"{first} to {last}"
    return {**entry, "when": when, "made_up": entry["backfill_run_id"] if said == 1 else said}


def found_id(session: Session, text: str) -> str:
    """The id of a schedule given by id or by GROUP/WORKFLOW[/NAME]."""
    if _is_id(text):
        return text
    known = list(session.api.items("/schedules", ALL))
    places = {one["id"]: (one["group"], one["workflow"], one["name"]) for one in known}
    parts = tuple(text.split("/"))
    found = [key for key, place in places.items() if place[: len(parts)] == parts]
    if len(found) == 1:
        return str(found[0])
    names = ["/".join(place) for place in places.values()]
    if found:
        raise ScheduleAmbiguous(
            f"{text!r} may be several schedules.",
            fix="Give one of " + ", ".join("/".join(places[key]) for key in found) + ".",
        )
    short = [name.rpartition("/")[0] for name in names]
    raise ScheduleUnknown(
        f"There is no schedule {text!r}.",
        fix=did_you_mean(text, [*names, *short]) or "See `stepwell schedules list`.",
    )


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def tell_fires(session: Session, found: Mapping[str, Any]) -> None:
    """The next instants, each with what is special about it, and what is to be known of them."""
    for fire in found["fires"]:
        session.out.line(f"  {fire['at']}  ({fire['local']}){_remark(fire)}")
    for note in found["notes"]:
        session.out.line(f"  {note['text']}")
    for said in found.get("says", ()):
        session.out.line(f"  {said}")


def _remark(fire: Mapping[str, Any]) -> str:
    if fire["skipped"] is not None:
        return f"  skipped: {fire['skipped']}"
    if fire["excluded"] is not None:
        return f"  skipped: calendar ({fire['excluded'] or 'a day off'})"
    return "  the run before may still go on" if fire["overlaps"] else ""
