"""Where the outcomes of a burst come together."""

from __future__ import annotations

import threading

from stepwell.engine.committer import Answered, Ended
from stepwell.engine.held import Holding


class Collector:
    """Takes in the outcomes of one burst, until it is closed.

    Steps of other bursts that end meanwhile may be taken in too, and are not waited for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._complete = threading.Event()
        self._ended: list[Ended] = []
        self._open, self._left = True, 0

    @property
    def is_open(self) -> bool:
        """Whether it still takes in."""
        return self._open

    def expect(self, steps: int) -> None:
        """So many steps more belong to the burst; said before any of them can end."""
        with self._lock:
            self._left += steps
            self._complete.clear()

    def put(self, holding: Holding, ended: Ended | Answered | None) -> bool:
        """A step has ended; False if its outcome is not taken in."""
        with self._lock:
            if not self._open:
                return False
            if holding.burst is self:
                self._left -= 1
                if self._left == 0:
                    self._complete.set()
            if not isinstance(ended, Ended):
                return False
            self._ended.append(ended)
            return True

    def wait(self, seconds: float) -> bool:
        """Block until every step of the burst has ended, or the time is over (False)."""
        return self._left <= 0 or self._complete.wait(seconds)

    def close(self) -> list[Ended]:
        """The burst is over: what has ended by now, in the order in which it ended."""
        with self._lock:
            self._open = False
            ended, self._ended = self._ended, []
            return ended

    def __len__(self) -> int:
        return len(self._ended)
