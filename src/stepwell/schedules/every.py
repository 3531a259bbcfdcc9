"""Intervals: a fixed number of seconds from one due instant to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Self

from stepwell.clock import as_utc
from stepwell.schedules.base import Schedule, iso, minutes
from stepwell.schedules.errors import IntervalInvalid

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST: Final = 100 * 366 * 24 * 3600
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Every(Schedule):
    """Due every so many seconds of real time, whatever clocks do.

    Parameters
    ----------
    seconds, minutes, hours, days : their sum is the interval, at least one second.
    anchor : an aware instant that the interval is counted from, in both directions. By
        default `start`, or else 1970-01-01 UTC: every 15 minutes is then at :00, :15,
        :30 and :45 UTC, and nothing shifts when the schedule is created again.

    Raises
    ------
    IntervalInvalid : the sum is not a whole number of seconds, one or more.
    """

    kind: ClassVar[str] = "interval"

    seconds: int = 0
    minutes: InitVar[int] = 0
    hours: InitVar[int] = 0
    days: InitVar[int] = 0
    anchor: datetime | None = None

    def __post_init__(self, minutes: int, hours: int, days: int) -> None:
        super().__post_init__()
        self._set("seconds", _total(self.seconds, minutes, hours, days))
        self._set("anchor", None if self.anchor is None else as_utc(self.anchor))

    def unbounded(self) -> Self:
        """The same instants, before the start and after the end too."""
        return replace(self, anchor=self.anchor or self.start, start=None, end=None)

    def _instants(self, after: datetime) -> Iterator[datetime]:
        origin, step = self.anchor or self.start or EPOCH, timedelta(seconds=self.seconds)
        instant = origin + ((after - origin) // step) * step
        while True:
            instant += step
            yield instant

    def _own_json(self) -> dict[str, Any]:
        own: dict[str, Any] = {"seconds": self.seconds}
        return own if self.anchor is None else own | {"anchor": iso(self.anchor)}

    def _words(self) -> str:
        counted = "" if self.anchor is None else f", counted from {minutes(self.anchor)}"
        return f"Every {_in_words(self.seconds)}{counted}"


def _total(seconds: object, minutes: object, hours: object, days: object) -> int:
    parts = (seconds, minutes, hours, days)
    numbers = [one for one in parts if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) != len(parts):
        raise _invalid("its parts are not all numbers")
    total = sum(n * size for n, size in zip(numbers, (1, 60, 3600, 86400), strict=True))
    if not 1 <= total <= LONGEST:
        raise _invalid(f"it is {total:g} seconds")
    if total != int(total):
        raise _invalid(f"it is {total:g} seconds, which is not a whole number")
    return int(total)


def _invalid(why: str) -> IntervalInvalid:
    return IntervalInvalid(
        f"The interval cannot be used: {why}.",
        why="An interval is a whole number of seconds, from one second to a hundred years.",
        fix="Use for example Every(minutes=15).",
    )


def _in_words(seconds: int) -> str:
    words = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(words).removeprefix("1 ") if len(words) == 1 else " ".join(words)
