"""What one engine knows of paused queues: each beat tells, and its own pause counts at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Pauses:
    """The queues that an engine may claim from now.

    Parameters
    ----------
    queues : those that it serves.
    """

    def __init__(self, queues: tuple[str, ...]) -> None:
        self._queues, self._open = queues, queues
        self._lock = threading.Lock()
        self._paused: frozenset[str] = frozenset()
        self._changed = float("-inf")

    @property
    def open_queues(self) -> tuple[str, ...]:
        """The queues without the paused ones."""
        return self._open

    def take_in(self, paused: Iterable[str], asked: float) -> bool:
        """What a beat said that was asked at monotonic second `asked`; whether it is news.

        A beat that was under way while this engine changed something itself says nothing.
        """
        with self._lock:
            return asked >= self._changed and self._set(frozenset(paused))

    def pause(self, queue: str, at: float) -> None:
        """This engine has paused the queue itself, at monotonic second `at`."""
        with self._lock:
            self._changed = at
            self._set(self._paused | {queue})

    def resume(self, queue: str, at: float) -> None:
        """This engine has let the queue go on."""
        with self._lock:
            self._changed = at
            self._set(self._paused - {queue})

    def _set(self, paused: frozenset[str]) -> bool:
        before, self._paused = self._paused, paused
        self._open = tuple(queue for queue in self._queues if queue not in paused)
        return before != paused
