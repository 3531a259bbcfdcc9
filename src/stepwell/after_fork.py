"""What begins anew in the child of a fork: gunicorn with a preloaded program, or multiprocessing.

The child has one thread. What the others of the parent held stays as it was: locks that nobody
opens any more. And connections are the parent's: a second process on one of them mixes up what
both say and hear.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

PATIENCE: Final = 1.0
"""Seconds that a fork waits for what is half done."""


class Forkable(Protocol):
    """An object with locks, threads or connections."""

    def begin_anew(self) -> None:
        """In the child, before anything else happens there: be as if new."""
        ...


class Turnstile:
    """Threads go in and out; a fork waits until none but its own is inside, and keeps others out.

    For a library with locks of its own: the child has those of threads that it has not.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = self._forking = 0
        self._own = threading.local()

    def __enter__(self) -> None:
        depth = self._depth
        if not depth:
            with self._changed:
                self._changed.wait_for(lambda: not self._forking)
                self._inside += 1
        self._own.depth = depth + 1

    def __exit__(self, *raised: object) -> None:
        self._own.depth -= 1
        if not self._own.depth:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def acquire(self, seconds: float) -> bool:
        """Before a fork: nobody goes in until `release`. False if some were inside for so long."""
        self._changed.acquire()
        self._forking += 1
        own = 1 if self._depth else 0
        alone = self._changed.wait_for(lambda: self._inside <= own, seconds)
        self._forking -= 1
        if not alone:
            self.release()
        return alone

    def release(self) -> None:
        """After the fork, in the parent."""
        self._changed.notify_all()
        self._changed.release()

    @property
    def _depth(self) -> int:
        """How often this thread has gone in."""
        return getattr(self._own, "depth", 0)


_all: Final[WeakKeyDictionary[Forkable, Turnstile | None]] = WeakKeyDictionary()
_parents: Final[list[Any]] = []
_fork: Final = threading.local()


def after_fork(one: Forkable, turnstile: Turnstile | None = None) -> None:
    """From now on it begins anew in each child of this process.

    Parameters
    ----------
    turnstile : who is inside is doing what cannot be half done in the child.
    """
    _all[one] = turnstile


def leave(*things: Any) -> None:
    """Keep what is the parent's, for the life of the child: closing or collecting it would end
    what the parent still uses."""
    _parents.extend(things)


def _close() -> None:
    _fork.closed = ExitStack()
    for turnstile in list(_all.values()):
        if turnstile is not None and turnstile.acquire(PATIENCE):
            _fork.closed.callback(turnstile.release)


def _go_on() -> None:
    _fork.closed.close()


def _begin_anew() -> None:
    _fork.closed.pop_all()
    for one in list(_all):
        one.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close, after_in_parent=_go_on, after_in_child=_begin_anew)
