"""The memory that containers used when they were looked at last: one look in a while for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

EVERY: Final = 10.0
"""Seconds between two looks at one container."""
NOTHING: Final = 60.0
"""Seconds until a container is looked at again of which the engine measured nothing."""
UNKNOWN: Final = 600.0
"""Seconds until an engine is asked again that refused to tell."""
MOST: Final = 5000
"""So many containers are remembered; the oldest go first, as nobody asks for them any more."""


class Usage:
    """What is known of one engine's containers.

    Parameters
    ----------
    ask : a container's name -> what the engine measures of it, None for one that it has not;
        may raise.
    """

    def __init__(self, ask: Callable[[str], Mapping[str, Any] | None]) -> None:
        self._ask, self._lock = ask, threading.Lock()
        self._known: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._silent_until = 0.0

    def of(self, name: str) -> float | None:
        """In bytes; None where nobody has looked."""
        return self._known.get(name)

    def sample(self, name: str) -> None:
        """Look at a container that runs, if the last look is old; never raises."""
        now = time.monotonic()
        with self._lock:
            if now < max(self._due.get(name, 0.0), self._silent_until):
                return
            self._due[name] = now + EVERY
        try:
            used = measured(self._ask(name) or {})
        except Exception:  # what is asked beside the way must not be in it
            self._silent_until = now + UNKNOWN
            return
        with self._lock:
            if used is None:
                self._due[name] = now + NOTHING
            else:
                self._known[name] = used
            for kept in (self._known, self._due):
                while len(kept) > MOST:
                    del kept[next(iter(kept))]


def measured(stats: Mapping[str, Any]) -> float | None:
    """Bytes in use, without what the kernel may take back; None where the engine does not say."""
    memory = stats.get("memory_stats") or {}
    usage = memory.get("usage")
    if not usage:
        return None
    more = memory.get("stats") or {}
    cache = more.get("inactive_file", more.get("total_inactive_file", 0))
    return float(usage - cache if cache < usage else usage)
