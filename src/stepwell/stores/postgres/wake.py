"""How engines hear of new work: one LISTEN connection per store, and debounced NOTIFYs (R25).

A commit that leaves due work wakes the engines of its own process at once. The others are
told at most once per interval: by the commit itself, in the same message, if nobody was told
lately; else by one thread, on a connection of its own.
"""

from __future__ import annotations

import atexit
import os
import random
import secrets
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg

from stepwell.errors import StoreUnavailable
from stepwell.events import emit
from stepwell.stores.postgres.claiming import first_few
from stepwell.stores.postgres.queries import Call
from stepwell.stores.postgres.statements import Statements, tell
from stepwell.stores.postgres.warm import Warm
from stepwell.stores.protocol import ClaimRequest

INTERVAL: Final = 0.01
"""Seconds between two NOTIFYs of one process."""
POLL: Final = 1.0
"""Seconds after which a wake returns by itself while nobody listens."""
_LONGEST_BACKOFF: Final = 5.0
_CLOSING: Final = 2.0

Connect = Callable[[], psycopg.Connection[Any]]


class PostgresWake:
    """The wake of one engine; rung by its bell.

    Parameters
    ----------
    connections : those that claims are made on, as long as there are some.
    """

    def __init__(self, bell: Bell, connections: Callable[[], Warm | None]) -> None:
        self._bell, self._event = bell, threading.Event()
        self._connections, self._lock = connections, threading.Lock()
        self._thread = 0
        self._question: Call | None = None

    def wait(self, seconds: float, claim: ClaimRequest | None = None) -> bool:
        """Block until something may have changed, or the time is over (False).

        Who waits is listened for from then on: an engine that has work needs nobody to wake it.
        While no connection listens, every second something may have changed. What is claimed
        next is asked for when others tell of work, while this thread wakes up.
        """
        self._forget_early()
        self._thread = threading.get_ident()
        self._question = first_few(claim.engine_id, claim.queues) if claim else None
        try:
            return self._wait(seconds)
        finally:
            with self._lock:
                self._question = None

    def _wait(self, seconds: float) -> bool:
        self._bell.listen()
        until = time.monotonic() + seconds
        woken = False
        if not self._bell.listening and seconds > POLL:
            # It may listen by now, and have rung before this began to wait: then all is well.
            woken = self._event.wait(POLL) or not self._bell.listening
        woken = woken or self._event.wait(max(until - time.monotonic(), 0))
        self._event.clear()
        return woken

    def set(self) -> None:
        """Wake the waiter."""
        self._event.set()

    def heard(self) -> None:
        """Others tell of work: wake the waiter, with its first question on the way."""
        try:
            with self._lock:
                question, self._question = self._question, None
                if question is not None and (connections := self._connections()):
                    connections.ask_early(self._thread, question)
        finally:
            self._event.set()

    def close(self) -> None:
        """Hear of nothing more."""
        self._bell.forget(self)
        self._forget_early()

    def _forget_early(self) -> None:
        """Rows that were locked for nothing are free again: others may have looked meanwhile."""
        if (connections := self._connections()) and connections.forget_early(self._thread):
            self._bell.ring()


class Bell:
    """Rings the wakes of this process, and through the database those of the others.

    Parameters
    ----------
    connect : opens the connection to listen on, in autocommit mode; None: nobody is told,
        and wakes poll (a connection pooler cannot carry LISTEN).
    connections : as for its wakes.
    """

    def __init__(self, connect: Connect | None, connections: Callable[[], Warm | None]) -> None:
        self._connect, self._connections = connect, connections
        self._lock = threading.Lock()
        self._wakes: tuple[PostgresWake, ...] = ()
        self._thread: threading.Thread | None = None
        self._ears: _Ears | None = None
        self._pending, self.listening = False, False
        self._told = float("-inf")
        self.name = secrets.token_hex(8)
        """Who tells, so that this process does not hear of its own commits again."""

    def wake(self) -> PostgresWake:
        """A new wake."""
        wake = PostgresWake(self, self._connections)
        with self._lock:
            self._wakes = (*self._wakes, wake)
        return wake

    def forget(self, wake: PostgresWake) -> None:
        """Ring this wake no more."""
        with self._lock:
            self._wakes = tuple(one for one in self._wakes if one is not wake)

    def takes_turn(self, *, pending: bool = False) -> bool:
        """Whether the caller is to tell the others now: nobody of this process did lately.

        Parameters
        ----------
        pending : the caller is the thread, which tells what commits have left to it.
        """
        with self._lock:
            if self._connect is None or self._pending is not pending or self._rest() > 0:
                return False
            # Before the NOTIFY: what is committed from now on needs another.
            self._pending, self._told = False, time.monotonic()
            return True

    def ring(self, *, told: bool = False) -> None:
        """Work that is due was committed: wake this process now, the others very soon.

        Parameters
        ----------
        told : the commit has told the others.
        """
        self._ring_here()
        if told or self._connect is None or (self._pending and self._thread is not None):
            return
        self._pending = True
        self.listen()
        with self._lock:
            if self._ears is not None:
                self._ears.call()

    def listen(self) -> None:
        """Have a thread that hears what other processes tell, and tells them."""
        with self._lock:
            if self._connect is None or self._thread is not None:
                return
            ears = _Ears()
            thread = threading.Thread(
                target=self._run, args=(ears,), name="stepwell-wake", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # what was committed is so: engines find it by polling
                ears.close()
                self._pending = False
                emit("store.wake_lost", error=str(error), retry_after=POLL)
                return
            self._ears, self._thread = ears, thread
        atexit.register(self.close)

    def close(self) -> None:
        """Send what is pending, and end the thread and its connection."""
        with self._lock:
            thread, self._thread = self._thread, None
            ears, self._ears = self._ears, None
        if thread is None or ears is None:
            return
        atexit.unregister(self.close)
        ears.over = True
        ears.call()
        thread.join(_CLOSING)
        if not thread.is_alive():
            ears.close()

    def leave(self) -> None:
        """In the child of a fork: the thread and its connection are the parent's."""
        atexit.unregister(self.close)

    def _ring_here(self) -> None:
        for wake in self._wakes:
            wake.set()

    # -- the thread ------------------------------------------------------------

    def _run(self, ears: _Ears) -> None:
        delay = INTERVAL
        while not ears.over:
            try:
                self._listen(ears)
            except Exception as error:  # whatever a driver raises must not end the listening
                delay = INTERVAL if self.listening else min(delay * 2, _LONGEST_BACKOFF)
                emit("store.wake_lost", error=str(error).strip(), retry_after=delay)
                ears.rest(delay * random.uniform(0.8, 1.0))
            finally:
                self.listening = False

    def _listen(self, ears: _Ears) -> None:
        assert self._connect is not None
        with self._connect() as connection, ears.on(connection):
            connection.execute("LISTEN stepwell_wake")
            self._ring_here()  # what was committed while nobody listened
            self.listening = True
            while not ears.over:
                ears.wait(self._rest() if self._pending else None)
                if ears.heard(connection, but_of=self.name):
                    for wake in self._wakes:
                        wake.heard()
                if self.takes_turn(pending=True):
                    self._tell_others(connection)
            if self._pending:
                self._tell_others(connection)

    def _rest(self) -> float:
        """Seconds until the others may be told again."""
        return self._told + INTERVAL - time.monotonic()

    def _tell_others(self, connection: psycopg.Connection[Any]) -> None:
        try:
            Statements(connection).rows_of(tell(self.name))
        except StoreUnavailable:
            self._pending = True
            raise


class _Ears:
    """Waits for the connection, and for the pipe by which this process calls the thread."""

    def __init__(self) -> None:
        self.over = False
        self._pipe, self._call = os.pipe()
        os.set_blocking(self._pipe, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe, selectors.EVENT_READ)

    def call(self) -> None:
        """End the thread's waiting."""
        os.write(self._call, b"!")

    def on(self, connection: psycopg.Connection[Any]) -> _Registered:
        """Listen to the connection too, for the block."""
        return _Registered(self._selector, connection.fileno())

    def wait(self, seconds: float | None) -> None:
        """Block until something comes, or the time is over."""
        self._selector.select(None if seconds is None else max(seconds, 0.0))
        self._empty()

    def rest(self, seconds: float) -> None:
        """Wait for the time, or until it is all over; who called before is not waited for."""
        self._empty()
        if not self.over:
            self._selector.select(seconds)

    def _empty(self) -> None:
        try:
            while os.read(self._pipe, 4096):
                pass
        except BlockingIOError:
            pass  # it is empty

    @staticmethod
    def heard(connection: psycopg.Connection[Any], but_of: str) -> bool:
        """Whether somebody else has rung; raises when the connection is lost."""
        heard = False
        connection.pgconn.consume_input()
        while (notice := connection.pgconn.notifies()) is not None:
            heard = heard or notice.extra != but_of.encode()
        return heard

    def close(self) -> None:
        """Give back the selector and the pipe."""
        self._selector.close()
        os.close(self._pipe)
        os.close(self._call)


class _Registered:
    """A file descriptor that is watched for a block."""

    def __init__(self, selector: selectors.BaseSelector, descriptor: int) -> None:
        self._selector, self._descriptor = selector, descriptor

    def __enter__(self) -> None:
        self._selector.register(self._descriptor, selectors.EVENT_READ)

    def __exit__(self, *_: object) -> None:
        self._selector.unregister(self._descriptor)
