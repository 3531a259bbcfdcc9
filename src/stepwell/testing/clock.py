"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Final

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualClock:
    """A `stepwell.clock.Clock` under the test's control. Safe to use from several threads.

    Parameters
    ----------
    start : the first instant, aware; 2026-01-01 00:00 UTC by default.
    """

    def __init__(self, start: datetime = BEGINNING) -> None:
        self._lock = threading.Lock()
        self._now, self._monotonic = start.astimezone(UTC), 0.0

    def now(self) -> datetime:
        """The virtual instant, aware, in UTC."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """The seconds by which the clock was advanced so far."""
        with self._lock:
            return self._monotonic

    def advance(self, seconds: float) -> datetime:
        """Let time pass, on both clocks; returns the new instant."""
        with self._lock:
            self._monotonic += seconds
            self._now += timedelta(seconds=seconds)
            return self._now

    def advance_to(self, instant: datetime) -> None:
        """Let time pass until an instant, aware; one that is over already changes nothing."""
        with self._lock:
            self._monotonic += max((instant - self._now).total_seconds(), 0.0)
            self._now = max(instant.astimezone(UTC), self._now)

    def set(self, instant: datetime) -> None:
        """Bend the wall clock alone, as an operator or a time server does (R17)."""
        with self._lock:
            self._now = instant.astimezone(UTC)
