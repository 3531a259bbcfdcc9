"""The only reader of time.

Instants are aware UTC datetimes. Durations are seconds, measured on the
monotonic clock, which no step of the wall clock can bend (R17).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from stepwell.errors import InvalidInput


class Clock(Protocol):
    """Where a component reads time; tests hand in a virtual one."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clocks."""

    now = staticmethod(partial(datetime.now, UTC))
    """The current instant, aware, in UTC."""

    monotonic = staticmethod(time.monotonic)
    """Seconds on a clock that never goes back; the function itself, for it is asked often."""


SYSTEM = SystemClock()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clocks of this process showed at one moment."""

    now: datetime
    monotonic: float


class StoreClock:
    """The store's time as this process knows it: its own clock plus an offset (R17)."""

    def __init__(self, base: Clock = SYSTEM) -> None:
        self._base = base
        self._offset = timedelta(0)
        self.monotonic: Callable[[], float] = base.monotonic
        """Seconds on the local clock that never goes back."""

    def now(self) -> datetime:
        """The current instant at the store, aware, in UTC."""
        return self._base.now() + self._offset

    def reading(self) -> Reading:
        """The local clocks: to be read before the store is asked for its time."""
        return Reading(self._base.now(), self.monotonic())

    def adjust(self, store_now: datetime, asked: Reading) -> None:
        """Take over what the store says its time is.

        It was so at some moment since it was asked, and the answer may have been long on its
        way: an offset that is right for any of these moments is left as it is.
        """
        least, most = store_now - self._base.now(), store_now - asked.now
        self._offset = min(max(self._offset, least), most)


def now() -> datetime:
    """The current instant of the machine, aware, in UTC."""
    return SYSTEM.now()


def as_utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises
    ------
    InvalidInput : it is no datetime, or has no time zone and so names no instant; or no year in
        UTC has it.
    """
    if not isinstance(instant, datetime):
        raise InvalidInput(
            f"{instant!r} is no instant, but a {type(instant).__name__}.",
            fix="Give an aware datetime, for example now() + timedelta(minutes=5).",
        )
    if instant.tzinfo is None:
        raise InvalidInput(
            f"{instant.isoformat()} has no time zone.",
            why="A time without a zone means different instants on different machines.",
            fix="Use an aware datetime, for example datetime.now(timezone.utc).",
        )
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(
            f"{instant.isoformat()} is in no year of UTC.",
            why="Years there go from 1 to 9999.",
            fix="Give an earlier instant, or a later one; to leave a limit out, give none.",
        ) from None
