"""`stepwell calendars`: days on which schedules that name them do not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final

import typer

from stepwell import clock
from stepwell.cli.client import ALL
from stepwell.cli.options import Reason
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput

app = typer.Typer(
    name="calendars",
    help="Calendars of your own: days on which schedules do not run.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "name": "name",
    "days": "count",
    "next": "next",
    "zone": "timezone",
    "what for": "description",
}

Name = Annotated[str, typer.Argument(help="Small letters, digits, hyphens: company-days.")]
Days = Annotated[
    list[str] | None,
    typer.Option("--day", metavar="DATE[=NAME]", help="2026-12-24='Christmas Eve'; repeatable."),
]
Zone = Annotated[
    str | None,
    typer.Option("--timezone", help="The zone of its dates; else that of each schedule."),
]
What = Annotated[str | None, typer.Option("--description", help="What it is for.")]


class DayUnreadable(InvalidInput):
    """A --day that is no date."""

    code = "day-unreadable"


@command(app, "list")
def list_calendars(session: Session) -> None:
    """Your calendars; public holidays need none: name them holidays:NO in a schedule."""
    found = list(session.api.items("/calendars", ALL))
    session.out.rows(found, COLUMNS, "There are no calendars of your own.", _row)


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """The days of a calendar, and the schedules that name it."""
    _tell(session, session.api.get(f"/calendars/{name}"))


@command(app, "add")
def add(
    session: Session,
    name: Name,
    day: Days = None,
    timezone: Zone = None,
    description: What = None,
    reason: Reason = None,
) -> None:
    """Make a calendar."""
    body = {"name": name, "days": _days(day or ()), "timezone": timezone, "reason": reason}
    _tell(session, session.api.post("/calendars", body | {"description": description or ""}))


@command(app, "change")
def change(
    session: Session,
    name: Name,
    day: Days = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="DATE", help="Repeatable.")
    ] = None,
    timezone: Zone = None,
    description: What = None,
    reason: Reason = None,
) -> None:
    """Add days, or take them away; schedules that name it follow at once."""
    body = {
        "add": _days(day or ()),
        "remove": [_date(one) for one in remove or ()],
        "timezone": timezone,
        "description": description,
        "reason": reason,
    }
    _tell(session, session.api.patch(f"/calendars/{name}", body))


@command(app, "remove")
def remove(session: Session, name: Name, reason: Reason = None) -> None:
    """Take away a calendar that no schedule names."""
    session.api.delete(f"/calendars/{name}", reason=reason)
    if session.out.as_json:
        session.out.json({"name": name, "what": "removed"})
    session.out.line(f"The calendar {name} is removed.")


def _tell(session: Session, found: dict[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(found)
        return
    said = found["description"] or "a calendar"
    session.out.line(f"{found['name']}: {said}, {len(found['days'])} days")
    for day, what in found["days"].items():
        session.out.line(f"  {day}  {what}".rstrip())
    for one in found["used_by"]:
        session.out.line(f"used by {one}")


def _row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    today = clock.now().date().isoformat()
    coming = sorted(day for day in row["days"] if day >= today)
    return {**row, "count": len(row["days"]), "next": coming[0] if coming else None}


def _days(given: Sequence[str]) -> dict[str, str]:
    parts = (one.partition("=") for one in given)
    return {_date(day): name for day, _, name in parts}


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise DayUnreadable(
            f"{text!r} is no date.", fix="Write --day 2026-12-24, or --day 2026-12-24=Name."
        ) from error
