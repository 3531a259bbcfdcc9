"""What every kind of schedule has: options, bounds, and the instants at which it is due."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any, ClassVar, Final, Self

from stepwell.clock import as_utc
from stepwell.given import member
from stepwell.schedules.errors import ScheduleInvalid
from stepwell.schedules.jitter import moved

_TICK: Final = timedelta(microseconds=1)
MOST_JITTER: Final = 24 * 3600
CALENDAR: Final = re.compile(r"holidays:[A-Z]{2,3}(-[A-Za-z0-9-]{1,40})?|[a-z][a-z0-9-]{0,99}")
"""The names that calendars can have."""


class Overlap(StrEnum):
    """What happens at a due instant while an earlier run of the schedule is active."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"


class Misfire(StrEnum):
    """What happens to instants that nobody acted on in time: run the latest, all, or none."""

    LATEST = "latest"
    ALL = "all"
    SKIP = "skip"


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """Base of `Cron`, `Every` and `Once`.

    Parameters
    ----------
    overlap : 'allow', 'skip', 'queue' or 'replace'; 'skip' by default.
    misfire : 'latest', 'all' or 'skip'; 'latest' by default.
    start : an aware instant; nothing is due before it.
    end : an aware instant; nothing is due at it or later.
    jitter : seconds, 0 to 86,400. Each due instant is moved by less than this, always by the
        same for the same schedule, and never past the one that follows it.
    exclude : names of calendars; on their days due instants are skipped. 'holidays:NO' and
        'holidays:US-CA' are public holidays, other names are calendars of your own.
    key : what the jitter depends on beside the instant; whoever keeps the schedule gives it.

    Raises
    ------
    ScheduleInvalid : an option that does not exist, an end before the start, a jitter out of
        range, or a calendar that cannot be one.
    InvalidInput : an instant without a time zone.
    """

    kind: ClassVar[str]

    overlap: Overlap = Overlap.SKIP
    misfire: Misfire = Misfire.LATEST
    start: datetime | None = None
    end: datetime | None = None
    jitter: int = 0
    exclude: tuple[str, ...] = ()
    key: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        self._set("overlap", member("overlap", self.overlap, Overlap, ScheduleInvalid))
        self._set("misfire", member("misfire", self.misfire, Misfire, ScheduleInvalid))
        self._set("start", None if self.start is None else as_utc(self.start))
        self._set("end", None if self.end is None else as_utc(self.end))
        self._set("exclude", _names(self.exclude))
        _check_jitter(self.jitter)
        if self.start and self.end and self.end <= self.start:
            raise ScheduleInvalid(
                f"The schedule ends at {iso(self.end)}, before it starts at {iso(self.start)}.",
                why="Nothing would ever be due.",
                fix="Move the end after the start, or leave one of them out.",
            )

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @abstractmethod
    def _instants(self, after: datetime) -> Iterator[datetime]:
        """Due instants strictly after `after`, rising, without the bounds."""

    @abstractmethod
    def _own_json(self) -> dict[str, Any]:
        """The kind's own fields, as JSON."""

    @abstractmethod
    def _words(self) -> str:
        """When it is due, in words, with the zone and without the bounds."""

    @property
    def zone(self) -> str:
        """The IANA name of the zone whose days count for calendars; UTC without one."""
        return "UTC"

    def keyed(self, key: str) -> Self:
        """The same schedule, whose jitter depends on `key`."""
        return replace(self, key=key)

    def unbounded(self) -> Self:
        """The same schedule without start and end."""
        return replace(self, start=None, end=None)

    def fires(self, after: datetime) -> Iterator[datetime]:
        """Due instants strictly after an aware instant, rising, in UTC; may never end."""
        if not self.jitter:
            return self.planned(after)
        return (at for _, at in self.with_planned(after))

    def with_planned(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:
        """As `fires`, each beside the instant that it would be without the jitter, first."""
        after = as_utc(after)
        planned = self.planned(after - timedelta(seconds=self.jitter))
        return (both for both in moved(planned, self.key, self.jitter, self.end) if both[1] > after)

    def planned(self, after: datetime) -> Iterator[datetime]:
        """As `fires`, without the jitter."""
        after = as_utc(after)
        if self.start is not None:
            after = max(after, self.start - _TICK)
        instants = self._instants(after)
        if self.end is None:
            return instants
        end = self.end
        return takewhile(lambda instant: instant < end, instants)

    def next_after(self, instant: datetime) -> datetime | None:
        """The first due instant strictly after an aware instant, in UTC; None if there is none."""
        return next(self.fires(instant), None)

    def between(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Due instants from `begin` (included) up to `end` (not included), in UTC."""
        limit = as_utc(end)
        return takewhile(lambda instant: instant < limit, self.fires(as_utc(begin) - _TICK))

    def describe(self) -> str:
        """When it is due, in words: 'At 07:30 on Monday through Friday (Europe/Oslo)'."""
        since = "" if self.start is None else f", from {minutes(self.start)}"
        until = "" if self.end is None else f", until {minutes(self.end)}"
        return self._words() + self._later() + since + until + self._except()

    def _later(self) -> str:
        return f", up to {_seconds(self.jitter)} later" if self.jitter else ""

    def _except(self) -> str:
        return f", except on days of {' and '.join(self.exclude)}" if self.exclude else ""

    def as_json(self) -> dict[str, Any]:
        """The schedule as JSON-able data; `from_json` reads it back."""
        bounds = {"start": self.start, "end": self.end}
        return {
            "kind": self.kind,
            **self._own_json(),
            "overlap": self.overlap.value,
            "misfire": self.misfire.value,
            **{name: iso(value) for name, value in bounds.items() if value is not None},
            **({"jitter": self.jitter} if self.jitter else {}),
            **({"exclude": list(self.exclude)} if self.exclude else {}),
        }


def iso(instant: datetime) -> str:
    """An instant as text: '2026-03-29T01:00:00Z'."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minutes(instant: datetime) -> str:
    """An instant for people: '2026-03-29 01:00 UTC', with its seconds where it has some."""
    seconds = ":%S" if instant.second else ""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M{seconds}} UTC"


def _check_jitter(jitter: Any) -> None:
    if isinstance(jitter, bool) or not isinstance(jitter, int) or not 0 <= jitter <= MOST_JITTER:
        raise ScheduleInvalid(
            f"A jitter of {jitter!r} cannot be used.",
            why=f"It is a whole number of seconds, from 0 to {MOST_JITTER:,}.",
            fix="Use for example jitter=300.",
        )


def _names(exclude: Any) -> tuple[str, ...]:
    named = isinstance(exclude, list | tuple)
    wrong = [one for one in exclude if not _is_name(one)] if named else [exclude]
    if wrong:
        raise ScheduleInvalid(
            f"{wrong[0]!r} is not the name of a calendar.",
            why="exclude is a list of names: holidays:NO, holidays:US-CA, or your own.",
            fix="Own names have small letters, digits and hyphens: company-days.",
        )
    return tuple(exclude)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and CALENDAR.fullmatch(name) is not None


def _seconds(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{seconds} s" if rest or not minutes else f"{minutes} min"
