"""What every kind of schedule has: options, bounds, and the instants at which it is due."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any, ClassVar, Final, TypeVar

from stepwell.clock import as_utc
from stepwell.schedules.errors import ScheduleInvalid

_TICK: Final = timedelta(microseconds=1)
E = TypeVar("E", bound=StrEnum)


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

    Raises
    ------
    ScheduleInvalid : an option that does not exist, or an end before the start.
    InvalidInput : an instant without a time zone.
    """

    kind: ClassVar[str]

    overlap: Overlap = Overlap.SKIP
    misfire: Misfire = Misfire.LATEST
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        self._set("overlap", _option(Overlap, "overlap", self.overlap))
        self._set("misfire", _option(Misfire, "misfire", self.misfire))
        self._set("start", None if self.start is None else as_utc(self.start))
        self._set("end", None if self.end is None else as_utc(self.end))
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

    def fires(self, after: datetime) -> Iterator[datetime]:
        """Due instants strictly after an aware instant, rising, in UTC; may never end."""
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
        return self._words() + since + until

    def as_json(self) -> dict[str, Any]:
        """The schedule as JSON-able data; `from_json` reads it back."""
        bounds = {"start": self.start, "end": self.end}
        return {
            "kind": self.kind,
            **self._own_json(),
            "overlap": self.overlap.value,
            "misfire": self.misfire.value,
            **{name: iso(value) for name, value in bounds.items() if value is not None},
        }


def iso(instant: datetime) -> str:
    """An instant as text: '2026-03-29T01:00:00Z'."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minutes(instant: datetime) -> str:
    """An instant for people: '2026-03-29 01:00 UTC'."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _option(options: type[E], name: str, value: Any) -> E:
    try:
        return options(value)
    except ValueError as error:
        raise ScheduleInvalid(
            f"{value!r} is not a choice for {name}.",
            fix=f"Use one of: {', '.join(options)}.",
        ) from error
