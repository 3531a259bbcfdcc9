"""Being asked to stop: Ctrl-C and SIGTERM, from before the work begins."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


@contextmanager
def until_asked_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, instead of ending the process on the spot."""
    asked = threading.Event()
    before = {one: signal.signal(one, lambda *_: _set(asked)) for one in _SIGNALS}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def wait_for(asked: threading.Event) -> None:
    """Block until the event is set.

    The kernel may hand a signal to any thread, and Python runs its handler in the main
    one, which must not sleep for ever in the meantime.
    """
    while not asked.wait(_LOOK_EVERY):
        pass


def _set(asked: threading.Event) -> None:
    # By a thread: the main one may have been interrupted while it holds the event's lock.
    threading.Thread(target=asked.set, daemon=True).start()


_LOOK_EVERY: Final = 0.3
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
