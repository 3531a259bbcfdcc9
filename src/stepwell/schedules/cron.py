"""Cron expressions in a time zone, with a stated behaviour when clocks change.

The arithmetic on wall times is the cronsim library's. It is given naive wall
times only; what happens when clocks change is decided here, the same way for
expressions with five and with six fields:

* Minute and hour both fixed (neither begins with `*`): a time of day. On each
  day that matches it fires once. A time that is left out fires when the clock
  jumps over it; of a time that comes twice the first one counts.
* Otherwise it follows the clock as it runs: what is left out does not fire,
  what comes twice fires twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from stepwell.extras import needs
from stepwell.schedules import zones
from stepwell.schedules.base import Schedule
from stepwell.schedules.errors import CronInvalid, TimezoneUnknown

with needs("schedules"):
    from cronsim import CronSim, CronSimError

_SOME_DAY: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall time, it has no zone
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Cron(Schedule):
    """Due whenever the clock of a time zone matches a cron expression.

    Parameters
    ----------
    expression : five fields (minute, hour, day-of-month, month, day-of-week), or six
        with seconds first. Lists, ranges, steps, names (MON, JAN), `L` and `LW` for the
        last day and last weekday of a month, `FRI#2` for the second Friday, `5L` for
        the last one.
    timezone : an IANA name.

    Raises
    ------
    CronInvalid : names the field that cannot be read, and what is allowed there.
    TimezoneUnknown : with the names that are near.
    """

    kind: ClassVar[str] = "cron"

    expression: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self.expression)
        if not isinstance(self.timezone, str):
            raise TimezoneUnknown(
                f"{self.timezone!r} is not the name of a time zone.",
                fix="Give a name such as Europe/Oslo, or leave it out for UTC.",
            )
        zones.zone(self.timezone)
        self._set("expression", " ".join(self.expression.split()))

    @property
    def zone(self) -> str:
        """Its time zone."""
        return self.timezone

    def _instants(self, after: datetime) -> Iterator[datetime]:
        tz = zones.zone(self.timezone)
        once_a_day = is_time_of_day(self.expression)
        return (_by_wall_time if once_a_day else _by_clock)(self.expression, tz, after)

    def _own_json(self) -> dict[str, Any]:
        return {"expression": self.expression, "timezone": self.timezone}

    def _words(self) -> str:
        return f"{_explained(self.expression)} ({self.timezone})"


@lru_cache(maxsize=1024)
def _explained(expression: str) -> str:
    """In words; kept, for pages ask for the words of hundreds again and again."""
    return str(CronSim(expression, _SOME_DAY).explain())


def is_time_of_day(expression: str) -> bool:
    """Whether minute and hour are both fixed, so that a day's fires are times of day."""
    minute, hour = expression.split()[-5:-3]
    return not minute.startswith("*") and not hour.startswith("*")


def _by_wall_time(expression: str, tz: ZoneInfo, after: datetime) -> Iterator[datetime]:
    for wall in CronSim(expression, zones.wall_clock(after, tz)):
        instant = zones.first_instant(wall, tz)
        if instant > after:
            after = instant
            yield instant


def _by_clock(expression: str, tz: ZoneInfo, after: datetime) -> Iterator[datetime]:
    change: datetime | None = after
    wall = zones.wall_clock(after, tz)
    while change is not None:
        seen, ahead, change = change, zones.offset(change, tz), None
        for match in CronSim(expression, wall):
            instant = (match - ahead).replace(tzinfo=UTC)
            change = zones.next_change(tz, seen, instant)
            if change is not None:  # the clock is set before it gets there
                wall = zones.wall_clock(change, tz) - _SECOND
                break
            seen = instant
            yield instant


# -- what can be wrong with an expression ------------------------------------------

_STEPS: Final = "lists (1,5), ranges (1-5) and steps (*/5)"
_ALLOWED: Final = {
    "second": f"0-59, *, {_STEPS}",
    "minute": f"0-59, *, {_STEPS}",
    "hour": f"0-23, *, {_STEPS}",
    "day-of-month": f"1-31, *, L (last day), LW (last weekday), {_STEPS}",
    "month": f"1-12 or JAN-DEC, *, {_STEPS}",
    "day-of-week": "0-7 or SUN-SAT (0 and 7 are Sunday, a range goes up), *, FRI#2 (the second "
    f"Friday), 5L (the last Friday), {_STEPS}",
}
_SIZES: Final = (60, 60, 24, 31, 12, 7)
_EXAMPLE: Final = "For example '30 7 * * MON-FRI', or '*/10 * * * * *' with seconds first."


def check(expression: object) -> None:
    """Raise `CronInvalid` if the expression cannot be used; say which field and why."""
    if not isinstance(expression, str):
        raise CronInvalid(f"{expression!r} is not a cron expression.", fix=_EXAMPLE)
    parts = expression.split()
    if len(parts) not in (5, 6):
        raise _wrong_count(expression, len(parts))
    try:
        CronSim(expression, _SOME_DAY)
    except CronSimError as error:
        raise _wrong_field(expression, str(error).removeprefix("Bad ")) from error
    for field, size, part in _fields(parts):
        _check_step(expression, field, size, part)


def _fields(parts: list[str]) -> Iterator[tuple[str, int, str]]:
    names, sizes = list(_ALLOWED)[-len(parts) :], _SIZES[-len(parts) :]
    return zip(names, sizes, parts, strict=True)


def _wrong_count(expression: str, count: int) -> CronInvalid:
    return CronInvalid(
        f"{expression!r} is not a cron expression.",
        why=f"It has {count} field{'' if count == 1 else 's'}, separated by spaces; five are "
        "needed (minute, hour, day-of-month, month, day-of-week), or six with seconds first.",
        fix=_EXAMPLE,
    )


def _wrong_field(expression: str, field: str) -> CronInvalid:
    text = {name: part for name, _, part in _fields(expression.split())}[field]
    if field == "day-of-month" and _fits_some_month(expression):
        return CronInvalid(
            f"{expression!r} never fires.",
            why=f"None of its months has a day {text}.",
            fix="Use L for the last day of a month, or other months.",
        )
    return CronInvalid(
        f"{expression!r} is not a cron expression: its {field} field {text!r} cannot be read.",
        why=f"The {field} field takes {_ALLOWED[field]}.",
        fix=_EXAMPLE,
    )


def _fits_some_month(expression: str) -> bool:
    parts = expression.split()
    parts[-2] = "*"
    try:
        CronSim(" ".join(parts), _SOME_DAY)
    except CronSimError:
        return False
    return True


def _check_step(expression: str, field: str, size: int, part: str) -> None:
    for step in re.findall(r"/(\d+)", part):
        if int(step) >= size:
            raise CronInvalid(
                f"{expression!r} has a step of {step} in its {field} field.",
                why=f"A {field} field has {size} values and starts anew after them, so the step "
                "would never be taken.",
                fix="Use a smaller step, or an interval: Every(minutes=90).",
            )
