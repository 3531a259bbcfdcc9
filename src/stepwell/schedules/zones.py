"""Between instants and the clock on the wall of a time zone.

A zone's clock runs in stretches of constant offset from UTC. Where two
stretches meet, wall times are left out (the clock goes forward) or come twice
(it goes back). Instants are aware UTC; wall times are naive.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

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
    near = _near(name)
    meant = f"Did you mean {' or '.join(near)}?" if near else "Use a name such as Europe/Oslo."
    return TimezoneUnknown(
        f"There is no time zone {name!r}.",
        why="Time zones are named as in the IANA database: Area/City, or UTC.",
        fix=meant,
    )


def _near(name: str) -> list[str]:
    folded = {known.casefold(): known for known in available_timezones()}
    cities = {key.rpartition("/")[2]: known for key, known in folded.items()}
    wanted = name.strip().casefold().replace(" ", "_")
    whole = [folded[key] for key in get_close_matches(wanted, folded, n=3, cutoff=0.75)]
    city = get_close_matches(wanted.rpartition("/")[2], cities, n=2, cutoff=0.75)
    return list(dict.fromkeys([*whole, *(cities[key] for key in city)]))[:3]


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
