"""Routes of calendars: /calendars."""

from __future__ import annotations

from typing import Annotated

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Router, Why, reads, writes
from stepwell.server.schedules.calendars import service as calendars
from stepwell.server.schedules.calendars.records import CalendarChange, KeptCalendar, NewCalendar

router = Router(tags=["schedules"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


@router.get("/calendars")
def list_calendars(call: Reading, pages: Pages) -> Page[KeptCalendar]:
    """Calendars by name."""
    return calendars.listed(call.conn, pages)


@router.post("/calendars", status_code=201)
def add_calendar(call: Operating, body: NewCalendar) -> KeptCalendar:
    """Make a calendar: days on which schedules that name it do not run."""
    return calendars.add(call.conn, call.services, body, by=call.user.name)


@router.get("/calendars/{name}")
def show_calendar(call: Reading, name: str) -> KeptCalendar:
    """A calendar with the schedules that name it."""
    return calendars.get(call.conn, name)


@router.patch("/calendars/{name}")
def change_calendar(call: Operating, name: str, body: CalendarChange) -> KeptCalendar:
    """Add days, take days away, or set description and time zone."""
    return calendars.change(call.conn, call.services, name, body, by=call.user.name)


@router.delete("/calendars/{name}")
def remove_calendar(call: Operating, name: str, reason: Why = None) -> None:
    """Take a calendar away that no schedule names."""
    calendars.remove(call.conn, name, reason, by=call.user.name)
