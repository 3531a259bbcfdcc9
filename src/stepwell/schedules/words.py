"""A schedule written as words of a call: `cron="30 7 * * 1-5", timezone="Europe/Oslo"`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stepwell.schedules.base import Schedule
from stepwell.schedules.cron import Cron
from stepwell.schedules.errors import ScheduleInvalid
from stepwell.schedules.every import Every


def spec_of(
    spec: Schedule | None = None,
    *,
    cron: str | None = None,
    every: timedelta | float | None = None,
    timezone: str | None = None,
    **policies: Any,
) -> Schedule:
    """The schedule that is meant: one that was made, or one of its words.

    Parameters
    ----------
    spec : returned as it is.
    cron : an expression, in the time zone `timezone`, an IANA name; UTC by default.
    every : an interval, as a timedelta or in seconds.
    policies : overlap and misfire, by their names; None is the default of the schedule.

    Raises
    ------
    ScheduleInvalid : none or several of them, or words that do not go together; or what
        the schedule itself refuses.
    """
    chosen = {name: value for name, value in policies.items() if value is not None}
    words = {"cron": cron, "every": every, "timezone": timezone} | chosen
    given = [name for name, value in words.items() if value is not None]
    if spec is not None:
        return _checked(spec, given)
    if (cron is None) == (every is None):
        raise _unclear(given)
    if cron is not None:
        return Cron(cron, timezone=timezone or "UTC", **chosen)
    if timezone is not None:
        raise ScheduleInvalid(
            f"An interval is not kept in a time zone: timezone={timezone!r}.",
            why="It is real time, whatever clocks do.",
            fix="Leave timezone= out, or use cron=.",
        )
    return Every(seconds=_seconds(every), **chosen)


def _seconds(every: Any) -> Any:
    return every.total_seconds() if isinstance(every, timedelta) else every


def _checked(spec: Any, given: list[str]) -> Schedule:
    if not isinstance(spec, Schedule):
        fix = "Use Cron(...), Every(...) or Once(...) of stepwell.schedules, or cron= or every=."
        if isinstance(spec, str):
            fix = f"Write it as cron={spec!r}."
        raise ScheduleInvalid(f"{spec!r} is not a schedule.", fix=fix)
    if given:
        raise ScheduleInvalid(
            f"There is a schedule, and {given[0]}= beside it.",
            fix=f"Say it within the schedule, or leave the schedule out: {spec.describe()}.",
        )
    return spec


def _unclear(given: list[str]) -> ScheduleInvalid:
    both = "cron" in given
    return ScheduleInvalid(
        "There are cron= and every=, two schedules." if both else "It does not say when.",
        fix="Leave one of them out." if both else "Give cron=, every=, or a schedule.",
    )
