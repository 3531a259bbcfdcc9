"""Waiting for the end of a launch, where a launcher can tell of it."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterable
from selectors import EVENT_READ, DefaultSelector
from typing import Any

_AT_ONCE = 4096


class Notices:
    """The reading end of a pipe; closed when nobody has it any more.

    The number of a descriptor that is closed is soon that of a file or connection of somebody
    else, whose contents a thread that still waits for notices would take.

    Parameters
    ----------
    descriptor : taken over.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)
        weakref.finalize(self, os.close, descriptor)

    def fileno(self) -> int:
        """As selectors want it."""
        return self._descriptor


class Bell:
    """A pipe on which a launcher tells that something may have ended; for any thread."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        self.notices = Notices(reader)
        self._writer: int | None = writer
        self._lock = threading.Lock()

    def ring(self) -> None:
        """Wake who waits; a full pipe will do that too, and after the end nobody waits."""
        with self._lock:
            try:
                if self._writer is not None:
                    os.write(self._writer, b".")
            except OSError:
                pass

    def close(self) -> None:
        """Nobody is left who could tell."""
        with self._lock:
            if self._writer is not None:
                os.close(self._writer)
            self._writer = None


def wait_for_an_end(launchers: Iterable[Any], seconds: float) -> None:
    """Until a launch may have ended, at most so long; for one thread.

    A launcher that can tell has `notices`, the end of a pipe that is read here, or None while it
    has none. A notice may be missing, as after a restart: whoever waits looks anyway.
    """
    pipes = [one for one in (getattr(each, "notices", None) for each in launchers) if one]
    try:
        if not pipes:
            time.sleep(seconds)
        for one in _readable(pipes, seconds) if pipes else ():
            if not os.read(one.fileno(), _AT_ONCE):  # nobody is left who could tell
                time.sleep(seconds)
    except (OSError, ValueError):  # somebody else has read it
        time.sleep(seconds)


def _readable(pipes: Iterable[Notices], seconds: float) -> list[Any]:
    """Those on which something came; their numbers may be beyond what `select` can take."""
    with DefaultSelector() as selector:
        for one in pipes:
            selector.register(one, EVENT_READ)
        return [key.fileobj for key, _ in selector.select(seconds)]
