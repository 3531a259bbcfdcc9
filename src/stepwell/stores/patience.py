"""Asking a server again that cannot be reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from stepwell.errors import StoreUnavailable
from stepwell.events import emit

T = TypeVar("T")

BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between tries while the server cannot be reached; the last one repeats."""


def patiently(call: Callable[[], T], delays: Iterable[float] | None = None) -> T:
    """What `call` returns, tried again while the server cannot be reached.

    Raises
    ------
    StoreUnavailable : still not, after `delays` (seconds); by default it never gives up.
    """
    for delay in _forever() if delays is None else delays:
        try:
            return call()
        except StoreUnavailable as error:
            emit("server.away", error=str(error), retry_after=delay)
            time.sleep(delay)
    return call()


def _forever() -> Iterable[float]:
    yield from BACKOFF
    while True:
        yield BACKOFF[-1]
