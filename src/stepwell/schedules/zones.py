"""Between instants and the clock on the wall of a time zone.

A zone's clock runs in stretches of constant offset from UTC. Where two
stretches meet, wall times are left out (the clock goes forward) or come twice
(it goes back). Instants are aware UTC; wall times are naive.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from stepwell.given import near
from stepwell.schedules.errors import TimezoneUnknown

_PROBE: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_MACHINES_OWN: Final = frozenset({"", "localtime", "posixrules"})


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises
    ------
    TimezoneUnknown : with the names that are near.
    """
    try:
        if name in _MACHINES_OWN:
            raise ValueError(name)
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise _unknown(name) from error


def _unknown(name: str) -> TimezoneUnknown:
    meant = _meant(name.strip().replace(" ", "_"))
    return TimezoneUnknown(
        f"There is no time zone {name!r}.",
        why="Time zones are named as in the IANA database: Area/City, or UTC.",
        fix=f"Did you mean {' or '.join(meant)}?" if meant else "Use a name such as Europe/Oslo.",
    )


def _meant(name: str) -> list[str]:
    names = available_timezones()
    cities = {known.rpartition("/")[2]: known for known in names}
    city = near(name.rpartition("/")[2], cities)
    return list(dict.fromkeys([*near(name, names), *(cities[one] for one in city)]))[:3]


def wall_clock(instant: datetime, tz: ZoneInfo) -> datetime:
    """What the clock shows at an instant: a naive datetime."""
    return instant.astimezone(tz).replace(tzinfo=None, fold=0)


def offset(instant: datetime, tz: ZoneInfo) -> timedelta:
    """How far the clock is ahead of UTC at an instant."""
    return instant.astimezone(tz).utcoffset() or timedelta()


def first_instant(wall: datetime, tz: ZoneInfo) -> datetime:
    """The instant at which the clock shows `wall` for the first time.

    A wall time that is left out gives the instant at which the clock jumps over it.
    """
    aware = wall.replace(tzinfo=tz, fold=0)
    instant = aware.astimezone(UTC)
    if wall_clock(instant, tz) == wall:
        return instant
    before = aware.replace(fold=1).astimezone(UTC)
    return _bisect(tz, before, instant)


def next_change(tz: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """The first instant in (after, until] with another offset than `after`, or None."""
    while after < until:
        probe = min(after + _PROBE, until)
        if offset(probe, tz) != offset(after, tz):
            return _bisect(tz, after, probe)
        after = probe
    return None


def _bisect(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The whole second at which the offset becomes that of `after`."""
    low, high = before.replace(microsecond=0), after
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        same = offset(middle, tz) == offset(after, tz)
        low, high = (low, middle) if same else (middle, high)
    return high.replace(microsecond=0)
