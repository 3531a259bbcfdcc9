"""What a change of a schedule means: how much more or less often, and in which zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from stepwell import schedules
from stepwell.errors import StepwellError
from stepwell.schedules import Schedule
from stepwell.server.reviews.changes import Category, Change, Impact, Kind, pointer

_SAMPLE: Final = 400
_WINDOW: Final = timedelta(days=400)
"""So many fires, or those in so long a time, are counted."""

_SAME_PACE: Final = 0.02
"""A difference below this share is not called more or less often."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a schedule fires from an instant on; nothing but words if it cannot be computed."""

    words: str
    at: datetime
    schedule: Schedule | None = None

    def per_day(self, sample: int = _SAMPLE) -> float:
        """Times a day, by so many fires at most: to compute them takes longer than all else that
        is compared. Above zero if there is any."""
        if self.schedule is None:
            return 0.0
        fires = list(islice(self.schedule.between(self.at, self.at + _WINDOW), sample))
        full = len(fires) == sample
        span = max((fires[-1] - self.at if full else _WINDOW) / timedelta(days=1), 1e-6)
        return len(fires) / span


def schedule_changes(
    workflow: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    at: datetime,
) -> list[Change]:
    """The change of a workflow's default schedule, as at most one change; fires count from `at`."""
    if before == after:
        return []
    kind, told = _told(pace(before, at), pace(after, at), before, after)
    return [
        Change(
            path=pointer("workflows", workflow, "schedule"),
            kind=kind,
            category=Category.SCHEDULE,
            impact=Impact.BEHAVIOUR,
            sentence=told,
            before=before,
            after=after,
        )
    ]


def more_often(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, at: datetime
) -> bool:
    """Whether the new schedule fires more often than the old one."""
    if before == after:
        return False
    old, new = pace(before, at), pace(after, at)
    if new is None:
        return False
    slower = old.per_day() if old else 0.0
    return new.per_day(_SAMPLE if slower else 1) > slower * (1 + _SAME_PACE)


def pace(spec: Mapping[str, Any] | None, at: datetime) -> Pace | None:
    """How often the schedule fires after `at`; None without one."""
    if spec is None:
        return None
    try:
        schedule = schedules.from_json(spec)
    except StepwellError as error:
        return Pace(f"a schedule that cannot be computed ({error.what})", at)
    return Pace(schedule.describe(), at, schedule)


def _told(
    old: Pace | None,
    new: Pace | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> tuple[Kind, str]:
    if old is None or before is None:
        return Kind.ADDED, f"It runs by itself: {new.words if new else ''}."
    if new is None or after is None:
        return Kind.REMOVED, f"It does not run by itself any more; it was: {old.words}."
    parts = [_frequency(old, new), *_options(before, after)]
    told = " ".join(part for part in parts if part)
    return Kind.CHANGED, told or f"Its schedule changes from: {old.words} to: {new.words}."


def _frequency(old: Pace, new: Pace) -> str:
    change = f"from: {old.words} to: {new.words}."
    if old.words == new.words:
        return ""
    was, now = old.per_day(), new.per_day()
    if abs(now - was) <= was * _SAME_PACE:
        return f"It runs as often, at other times, {change}"
    more = "more" if now > was else "less"
    counts = f"about {_number(was)} to {_number(now)} times a day"
    return f"It runs {more} often ({counts}), {change}"


def _options(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    changed = []
    for key, words in (("timezone", "time zone"), ("overlap", "overlap"), ("misfire", "misfire")):
        if before.get(key) != after.get(key):
            changed.append(f"Its {words} changes from {before.get(key)} to {after.get(key)}.")
    return changed


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
