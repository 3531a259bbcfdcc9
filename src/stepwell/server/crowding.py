"""How many of the server's workers wait for a launcher that hangs: never all of them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from stepwell.errors import Unavailable

SLOW: Final = 10.0
"""Seconds after which a launcher is held to hang, until one call is quicker."""


class LauncherSilent(Unavailable):
    """The engine or the cluster of a launcher hangs, and enough others wait for it already."""

    code = "launcher-silent"


class Crowd:
    """Who asks which launcher now. Whoever finds none that hangs is not held up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: defaultdict[str, dict[object, float]] = defaultdict(dict)
        self._slow: set[str] = set()

    @contextmanager
    def asking(self, launcher: str, most: int) -> Iterator[None]:
        """Ask it something in this block, unless it hangs and `most` wait for it already.

        Raises
        ------
        LauncherSilent : before anything is asked.
        """
        mine, began = object(), time.monotonic()
        with self._lock:
            asking = self._asking[launcher]
            hangs = launcher in self._slow or any(began - at >= SLOW for at in asking.values())
            if hangs and len(asking) >= most:
                raise LauncherSilent(
                    f"The launcher {launcher!r} does not answer.",
                    why=f"{len(asking)} of the server's workers wait for it; the others go on.",
                    fix="Look at its engine or its cluster; it is tried again.",
                )
            asking[mine] = began
        try:
            yield
        finally:
            with self._lock:
                del asking[mine]
                took = time.monotonic() - began
                (self._slow.add if took >= SLOW else self._slow.discard)(launcher)
