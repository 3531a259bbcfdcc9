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


_all: Final[WeakKeyDictionary[Forkable, threading.Lock | None]] = WeakKeyDictionary()
_parents: Final[list[Any]] = []
_fork: Final = threading.local()


def after_fork(one: Forkable, turn: threading.Lock | None = None) -> None:
    """From now on it begins anew in each child of this process.

    Parameters
    ----------
    turn : who has it is doing what cannot be half done in the child: a fork takes its turn.
    """
    _all[one] = turn


def leave(*things: Any) -> None:
    """Keep what is the parent's, for the life of the child: closing or collecting it would end
    what the parent still uses."""
    _parents.extend(things)


def _take_turns() -> None:
    _fork.turns = ExitStack()
    for turn in list(_all.values()):
        if turn is not None and turn.acquire(timeout=PATIENCE):
            _fork.turns.callback(turn.release)


def _go_on() -> None:
    _fork.turns.close()


def _begin_anew() -> None:
    _fork.turns.pop_all()
    for one in list(_all):
        one.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take_turns, after_in_parent=_go_on, after_in_child=_begin_anew)
