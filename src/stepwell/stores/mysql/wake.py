"""Hearing of new work: at once of this store's own commits, within a second of all others.

The server has no notifications, so an engine that waits looks once a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from stepwell.stores.protocol import ClaimRequest

POLL: Final = 1.0
"""Seconds after which something may have changed."""


class MySQLWake:
    """The wake of one engine.

    Parameters
    ----------
    on_close : tells the store that this wake needs no more calls.
    """

    def __init__(self, on_close: Callable[[MySQLWake], None]) -> None:
        self._on_close = on_close
        self._event = threading.Event()

    def wait(self, seconds: float, claim: ClaimRequest | None = None) -> bool:
        """Block until something may have changed, or the time is over (False)."""
        polls = seconds > POLL
        told = self._event.wait(POLL if polls else seconds)
        self._event.clear()
        return told or polls

    def set(self) -> None:
        """Wake the waiter of this process."""
        self._event.set()

    def close(self) -> None:
        """Hear of no more commits."""
        self._on_close(self)
