"""Threads that work, of which no more are awake than there is work for.

A thread that takes work while more is waiting calls one other. As long as work takes no
time the first thread does all of it, for Python runs one thread at a time and handing over
costs more than the work; as soon as it blocks, the one that was called goes on. So no step
waits for a slow neighbour, and nobody has to know beforehand which steps are slow.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Final

REST: Final = 10.0
"""Seconds without work after which a thread beyond the fewest ends."""


class Crew:
    """The worker threads of one engine.

    Parameters
    ----------
    work : does one piece of work; False if there was none.
    more : whether more is waiting.
    most, fewest : how many threads there are at most, and how many stay when there is no work.
    """

    def __init__(
        self, work: Callable[[], bool], more: Callable[[], bool], most: int, fewest: int
    ) -> None:
        self._work, self._more = work, more
        self._most, self._fewest = most, fewest
        self._bells: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._coming = False
        self._over = threading.Event()

    def __len__(self) -> int:
        return len(self._threads)

    def call(self) -> None:
        """There is work: wake or start one thread, unless one is on its way already."""
        # Who lies down now looks once more by itself.
        if not self._coming and (self._idle or len(self._threads) < self._most):
            self._call_one()

    def stop(self) -> None:
        """Take up nothing more; what is being worked on goes on."""
        with self._lock:
            self._over.set()
            for _ in self._threads:
                self._bells.put(False)

    def _call_one(self) -> None:
        with self._lock:
            if self._coming or self._over.is_set():
                return
            if self._idle:
                self._coming = True
                self._idle -= 1
                self._bells.put(True)
            elif len(self._threads) < self._most:
                self._start()

    def _start(self) -> None:
        name = f"stepwell-worker-{len(self._threads)}"
        thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._coming = True
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the machine gives no more; those that there are go on
            self._coming = False
            self._threads.discard(thread)
            if not self._threads:
                raise
        else:
            self._bells.put(True)

    def _loop(self) -> None:
        # To start it, the caller had to wait for it. If it worked at once, it would start the
        # next one in turn, and so on: as many threads as there may be, for work of one.
        called = self._bells.get()
        while called and not self._over.is_set():
            self._coming = False
            while not self._over.is_set() and self._work():
                pass
            called = self._rest()
        with self._lock:  # somebody may be counting them
            self._threads.discard(threading.current_thread())

    def _rest(self) -> bool:
        """Sleep until called; False if it is time to end."""
        with self._lock:
            self._idle += 1
        if self._more():  # it came between the last look and the lying down
            self.call()
        while not self._over.is_set():
            try:
                return self._bells.get(timeout=REST)
            except queue.Empty:
                if self._may_end():
                    return False
        return False

    def _may_end(self) -> bool:
        with self._lock:
            if self._idle == 0 or len(self._threads) <= self._fewest:
                return False  # a call is on its way, or it is one of the few that stay
            self._idle -= 1
            self._threads.discard(threading.current_thread())
            return True
