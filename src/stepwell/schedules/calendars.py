"""Calendars: days on which a schedule does not run.

Public holidays come from the `holidays` library, by country and subdivision; own
calendars are dates that people keep. An instant belongs to the day that the clock of the
schedule's zone shows, or of the calendar's zone where it has one. What falls on such a
day is still due: the ledger enters it as skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.util import find_spec
from typing import Any, Final, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from stepwell.schedules import zones
from stepwell.schedules.base import Schedule
from stepwell.schedules.errors import CalendarUnknown

PUBLIC: Final = "holidays:"
"""How names of public holidays begin: `holidays:NO`, `holidays:US-CA`."""

Exclusion: TypeAlias = Callable[[datetime], str | None]
"""An instant -> the name of the day that excludes it, or None."""


class Days(Protocol):
    """The days of a calendar: `days.get(day)` is the day's name, or None."""

    def get(self, day: date, /) -> str | None:
        """The name of a day that is excluded."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar of your own.

    Parameters
    ----------
    days : date -> what day it is.
    timezone : the IANA name of the zone that its dates are of; None is the schedule's zone.
    """

    days: Days
    timezone: str | None = None


def never(_: datetime) -> str | None:
    """The exclusion of a schedule without calendars."""
    return None


def exclusion(spec: Schedule, own: Mapping[str, Calendar]) -> Exclusion:
    """What excludes an instant of a schedule; `own` are the calendars that are not public.

    Raises
    ------
    CalendarUnknown : a calendar that is not there, a country or subdivision without holidays.
    """
    if not spec.exclude:
        return never
    return _Exclusion([(found(name, own), spec.zone) for name in spec.exclude])


class _Exclusion:
    def __init__(self, calendars: Iterable[tuple[Calendar, str]]) -> None:
        self._parts = [(one.days, zones.zone(one.timezone or zone)) for one, zone in calendars]

    def __call__(self, instant: datetime) -> str | None:
        names = (days.get(_day(instant, tz)) for days, tz in self._parts)
        return next((name for name in names if name is not None), None)


def _day(instant: datetime, tz: ZoneInfo) -> date:
    return instant.astimezone(tz).date()


def found(name: str, own: Mapping[str, Calendar]) -> Calendar:
    """The calendar of a name; raises `CalendarUnknown`."""
    if name.startswith(PUBLIC):
        country, _, subdivision = name.removeprefix(PUBLIC).partition("-")
        return Calendar(_public(country, subdivision or None))
    if name in own:
        return own[name]
    raise CalendarUnknown(
        f"There is no calendar {name!r}.",
        why=f"There are {', '.join(sorted(own))}." if own else "None was made yet.",
        fix=f"Make it: `stepwell calendars add {name}`, or name public holidays: holidays:NO.",
    )


@cache
def _public(country: str, subdivision: str | None) -> Any:
    if find_spec("holidays") is None:
        raise CalendarUnknown(
            f"The public holidays of {country!r} are not known here.",
            why="The package that knows them is not installed.",
            fix="Run: pip install 'stepwell[calendars]', or make a calendar of your own.",
        )
    import holidays  # noqa: PLC0415 - images do without it

    try:
        return holidays.country_holidays(country, subdiv=subdivision, language="en_US")
    except NotImplementedError as error:
        raise _unknown(holidays.list_supported_countries(), country, subdivision) from error


def _unknown(known: Mapping[str, Any], country: str, subdivision: str | None) -> CalendarUnknown:
    if country not in known:
        return CalendarUnknown(
            f"There are no public holidays of {country!r}.",
            why="Countries are named by their two letters of ISO 3166.",
            fix="Use for example holidays:NO, or a calendar of your own.",
        )
    parts = ", ".join(known[country]) or "none"
    return CalendarUnknown(
        f"There are no public holidays of {subdivision!r} in {country}.",
        why=f"Its subdivisions are: {parts}.",
        fix=f"Name one of them, or the whole country: {PUBLIC}{country}.",
    )
