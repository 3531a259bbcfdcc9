"""Hearing of other processes' commits: a stat of the write-ahead log, and no query (R25).

A commit changes the log, waits for the disk, and can be read only then. So a log that has
changed is believed when nobody writes: until then it is looked at again, or what was about to
be committed would be seen by the stat, missed by the claim, and found by the next timer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from stepwell.stores.protocol import ClaimRequest

LOOK_SECONDS: Final = 0.02
"""Seconds between two looks at the file, while somebody waits."""
COMMIT_SECONDS: Final = 0.002
"""Seconds between two looks whether a commit that was seen has come to its end."""

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
    being_written : whether somebody is in the middle of a write, or of its commit.
    """

    def __init__(
        self,
        log: Path,
        on_close: Callable[[SQLiteWake], None],
        being_written: Callable[[], bool],
    ) -> None:
        self._log, self._on_close, self._being_written = log, on_close, being_written
        self._event = threading.Event()
        self._away = False
        self._seen = sight(log)

    def wait(self, seconds: float, claim: ClaimRequest | None = None) -> bool:
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
        if not self._is_other():
            return told
        if not told:
            self._await_commit()
        return True

    def _is_other(self) -> bool:
        """Whether the log has changed; what is about to be committed stays news."""
        seen = sight(self._log)
        other = seen != self._seen
        if other and not self._being_written():
            self._seen = seen
        return other

    def _await_commit(self) -> None:
        """For a moment: a writer who takes longer is asked about again by the next wait."""
        until = time.monotonic() + LOOK_SECONDS
        while self._is_other() and time.monotonic() < until:
            self._event.wait(COMMIT_SECONDS)
