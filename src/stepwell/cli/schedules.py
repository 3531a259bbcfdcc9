"""`stepwell schedules`: when work begins by itself, and the book of what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from stepwell.cli import discovered
from stepwell.cli.client import ALL
from stepwell.cli.options import Limit, OfGroup, Reason
from stepwell.cli.parameters import Params, did_you_mean, parsed
from stepwell.cli.render import instant, named
from stepwell.cli.session import Session, command
from stepwell.cli.timing import At, CronText, End, Seconds, Start, Timezone, Timing
from stepwell.errors import InvalidInput, NotFound

app = typer.Typer(
    name="schedules",
    help="Schedules: list, show, preview, add, change, pause, resume, run, ledger, audit.",
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
}
LEDGER: Final = {"due": "when", "times": "count", "fate": "fate", "why": "why", "run": "run_id"}
AUDIT: Final = {
    "unbroken": "unbroken",
    "entries": "entries",
    "instants": "instants",
    "by fate": "by_fate",
    "next due": "next_due",
    "breaks": "breaks",
    "advice": "advice",
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
def list_schedules(session: Session, group: OfGroup = None) -> None:
    """All schedules, with when each is due next."""
    found = list(session.api.items("/schedules", ALL, group=group))
    empty = "There are no schedules: they come with an approved release."
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
    cron: CronText = None,
    every: Seconds = None,
    once: At = None,
    timezone: Timezone = None,
    start: Start = None,
    end: End = None,
    count: Annotated[int, typer.Option("--count", min=1, max=100)] = 10,
) -> None:
    """When a schedule would be due; nothing is kept."""
    timing = Timing(cron=cron, every=every, once=once, timezone=timezone, start=start, end=end)
    spec = timing.spec()
    found = session.api.post("/schedule-previews", {"spec": spec, "count": count})
    if session.out.as_json:
        session.out.json(found)
    session.out.line(found["description"])
    _tell_fires(session, found["fires"])


@command(app, "pause")
def pause(session: Session, schedule: Which, reason: Reason = None) -> None:
    """Enter due instants as skipped from now on, until it is resumed."""
    found = session.api.post(f"/schedules/{found_id(session, schedule)}/pauses", {"reason": reason})
    session.out.record(found, FIELDS)


@command(app, "resume")
def resume(session: Session, schedule: Which, reason: Reason = None) -> None:
    """Let it run again."""
    found = session.api.delete(f"/schedules/{found_id(session, schedule)}/pauses", reason=reason)
    session.out.record(found, FIELDS)


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


@command(app, "audit")
def audit(session: Session, schedule: Which) -> None:
    """Whether every due instant is in exactly one entry of the ledger."""
    session.out.record(session.api.get(f"/schedules/{found_id(session, schedule)}/audit"), AUDIT)


def tell(session: Session, schedule: dict[str, Any]) -> None:
    """A schedule with its next fires."""
    if session.out.as_json:
        session.out.json(schedule)
        return
    session.out.record(schedule | {"said": _said(schedule)}, FIELDS)
    _tell_fires(session, schedule["fires"])


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
    return {**entry, "when": first if first == last else f"{first} to {last}"}


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


def _tell_fires(session: Session, fires: list[dict[str, Any]]) -> None:
    for fire in fires:
        session.out.line(f"  {fire['at']}  ({fire['local']})")
