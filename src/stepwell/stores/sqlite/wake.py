"""Hearing of other processes' commits: a stat of the write-ahead log, and no query (R25)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

LOOK_SECONDS: Final = 0.02
"""Seconds between two looks at the file, while somebody waits."""

Sight: TypeAlias = tuple[int, int, int] | None


def sight(log: Path) -> Sight:
    """What a stat tells of the log: each commit makes it another. None if there is none."""
    try:
        found = log.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class SQLiteWake:
    """Woken by the store's own commits at once, and by those of others within 20 ms.

    Parameters
    ----------
    log : the write-ahead log of the database; it comes and goes with the connections.
    on_close : tells the store that this wake needs no more calls.
    """

    def __init__(self, log: Path, on_close: Callable[[SQLiteWake], None]) -> None:
        self._log, self._on_close = log, on_close
        self._event = threading.Event()
        self._away = False
        self._seen = sight(log)

    def wait(self, seconds: float) -> bool:
        """Block until something may have changed, or the time is over (False)."""
        until = time.monotonic() + seconds
        while not self._changed():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._event.wait(min(LOOK_SECONDS, left))
        return True

    def set(self) -> None:
        """Wake the waiter of this process."""
        self._event.set()

    def look_away(self) -> None:
        """What changes the log now is probably no news: wait with looking at it."""
        self._away = True

    def look_again(self, before: Sight, after: Sight) -> None:
        """Go on; what made one sight of the other was no news."""
        if self._seen == before:
            self._seen = after
        self._away = False

    def close(self) -> None:
        """Hear of no more commits."""
        self._on_close(self)

    def _changed(self) -> bool:
        told = self._event.is_set()
        if told:
            self._event.clear()
        elif self._away:
            return False
        before, self._seen = self._seen, sight(self._log)
        return told or before != self._seen
