"""When handlers must have ended: one heap and one thread for all of an engine."""

from __future__ import annotations

import heapq
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from stepwell.clock import Clock
from stepwell.events import emit

_MANY: Final = 1000
"""Entries from which the heap is cleared of those that were met."""


@dataclass(slots=True, order=True)
class Deadline:
    """An instant in monotonic seconds, and what happens then; None when that is settled."""

    at: float
    over: Callable[[], None] | None = field(compare=False)


class Deadlines:
    """Calls what is to happen when a time is over, unless it was met.

    Its thread starts with the first deadline, so a program without any has none.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._heap: list[Deadline] = []
        self._met = 0
        self._thread: threading.Thread | None = None
        self._stopped = False

    def begin(self, seconds: float, over: Callable[[], None]) -> Deadline:
        """From now on it has so many seconds; then `over` is called, in the thread of all."""
        deadline = Deadline(self._clock.monotonic() + seconds, over)
        with self._changed:
            heapq.heappush(self._heap, deadline)
            if self._heap[0] is deadline:
                self._changed.notify()
            if self._thread is None and not self._stopped:
                self._start()
        return deadline

    def met(self, deadline: Deadline) -> bool:
        """It has ended. True if that was in time: `over` is not called any more."""
        with self._changed:
            in_time = deadline.over is not None
            deadline.over = None
            self._met += in_time
            if self._met > _MANY and self._met * 2 > len(self._heap):
                self._clear()
            return in_time

    def stop(self) -> None:
        """Call nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _start(self) -> None:
        thread = threading.Thread(target=self._loop, name="stepwell-deadlines", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the machine gives no more: the next deadline tries again
            emit("engine.deadline_failed", error=repr(error))
        else:
            self._thread = thread

    def _clear(self) -> None:
        self._heap = [one for one in self._heap if one.over is not None]
        heapq.heapify(self._heap)
        self._met = 0

    def _loop(self) -> None:
        while (over := self._next()) is not None:
            try:
                over()
            except Exception as error:  # one step's trouble is not that of all others
                emit("engine.deadline_failed", error=repr(error))

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next time that is over; None when stopped."""
        with self._changed:
            while not self._stopped:
                over = self._pop()
                if over is not None:
                    return over
                self._changed.wait(self._pause())
            return None

    def _pop(self) -> Callable[[], None] | None:
        now = self._clock.monotonic()
        while self._heap and (self._heap[0].over is None or self._heap[0].at <= now):
            deadline = heapq.heappop(self._heap)
            over, deadline.over = deadline.over, None
            if over is not None:
                return over
            self._met = max(self._met - 1, 0)
        return None

    def _pause(self) -> float | None:
        return max(self._heap[0].at - self._clock.monotonic(), 0.0) if self._heap else None


def standing(thread: int | None) -> TracebackType | None:
    """Where a thread is at this moment, as a traceback."""
    found: TracebackType | None = None
    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001 - there is no public name
    while frame is not None:
        found = TracebackType(found, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return found
