"""What a cron schedule does where the clock of its zone is set, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from stepwell.clock import as_utc
from stepwell.schedules import zones
from stepwell.schedules.base import Schedule
from stepwell.schedules.cron import Cron, is_time_of_day

_SECOND: Final = timedelta(seconds=1)
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Note:
    """What happens at a change of the clock: the instant of the change, and a sentence."""

    at: datetime
    text: str


def notes(spec: Schedule, begin: datetime, end: datetime) -> Iterator[Note]:
    """A note for each change of the clock in (begin, end] that a schedule notices.

    An interval notices none, and neither does an expression whose hours are `*`: it is due
    as often as on any other day.
    """
    if isinstance(spec, Cron) and spec.expression.split()[-4] != "*":
        for change in _changes(zones.zone(spec.timezone), as_utc(begin), as_utc(end)):
            text = _said(spec, change)
            if text:
                yield Note(change.at, text)


@dataclass(frozen=True, slots=True)
class _Change:
    """The clock goes from `old` to `new`, both wall times."""

    at: datetime
    old: datetime
    new: datetime


@lru_cache(maxsize=64)
def _changes(tz: ZoneInfo, begin: datetime, end: datetime) -> tuple[_Change, ...]:
    """Kept, for all schedules of a page are asked about the same span."""
    found, at = [], zones.next_change(tz, begin, end)
    while at is not None:
        before = at.replace(tzinfo=None) + zones.offset(at - _SECOND, tz)
        found.append(_Change(at, before, zones.wall_clock(at, tz)))
        at = zones.next_change(tz, at, end)
    return tuple(found)


def _said(spec: Cron, change: _Change) -> str:
    low, high = sorted((change.old, change.new))
    walls = list(takewhile(lambda wall: wall < high, CronSim(spec.expression, low - _SECOND)))
    if not walls or not _due(spec, change, walls):
        return ""
    forward = change.new > change.old
    one = len(walls) == 1
    times, day = _times(walls), f"{walls[0]:%-d %b %Y}"
    if is_time_of_day(spec.expression):
        return _time_of_day(change, times, day, one, forward)
    if forward:
        return f"Skipped on {day}: {times} {'does' if one else 'do'} not exist."
    return f"Runs twice on {day} at {times}: the clock shows {'it' if one else 'them'} twice."


def _time_of_day(change: _Change, times: str, day: str, one: bool, forward: bool) -> str:
    if forward:
        verb = "does" if one else "do"
        return f"On {day} {times} {verb} not exist: runs once at {change.new:%H:%M} instead."
    if one:
        return f"Runs once on {day} though {times} happens twice: the first time."
    return f"Runs once each on {day} though {times} happen twice: the first time."


def _due(spec: Cron, change: _Change, walls: list[datetime]) -> bool:
    """Whether the schedule's bounds let any of it happen."""
    instants = [(wall - (change.old - change.at.replace(tzinfo=None))) for wall in walls]
    known = [one.replace(tzinfo=UTC) for one in instants]
    after_start = spec.start is None or known[-1] >= spec.start
    return after_start and (spec.end is None or known[0] < spec.end)


def _times(walls: list[datetime]) -> str:
    named = [f"{wall:%H:%M}" if not wall.second else f"{wall:%H:%M:%S}" for wall in walls]
    if len(named) > _NAMED:
        return f"{named[0]} to {named[-1]} ({len(named)} times)"
    return " and ".join([", ".join(islice(named, len(named) - 1)), named[-1]]).removeprefix(" and ")
