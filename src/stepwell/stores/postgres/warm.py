"""Connections that were used last are used again first.

A pool hands out its connections in turn; but each has to plan a statement for itself, and to
plan one of ours takes longer than to run it a hundred times.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from stepwell.stores.postgres.faults import translated
from stepwell.stores.postgres.line import has_come
from stepwell.stores.postgres.prepared import Own
from stepwell.stores.postgres.queries import Call

Pool: TypeAlias = ConnectionPool[Own]

KEPT: Final = 4
"""The most connections kept back from the pool's turns."""

_pools: Final[WeakSet[Pool]] = WeakSet()
"""Those of this process: in the child of a fork they are the parent's to close."""


Lost: TypeAlias = deque[Own]
"""Connections that nobody holds, and nobody has given back."""


def losable(lost: Lost) -> type[Own]:
    """Connections that come to light when they are lost: the handler of a signal may raise between
    any two lines, those of the pool included, where no `finally` knows of a connection yet."""

    class Losable(Own):
        def __del__(self, *_: Any) -> None:  # anywhere, also under a lock: it only tells
            if not self.closed:
                lost.append(self)

    return Losable


class Warm:
    """A pool, and the few of its connections that are kept warm.

    Parameters
    ----------
    hung_up : whether the other end has closed a connection while it lay idle.
    first : a connection that is open already, to be used like one of the pool's.
    lost : where those of the pool come to light.
    """

    def __init__(
        self,
        pool: Pool,
        hung_up: Callable[[Own], bool],
        kept: int = KEPT,
        first: Own | None = None,
        lost: Lost | None = None,
    ) -> None:
        self._pool, self._hung_up, self._kept = pool, hung_up, kept
        self._first, self._lost = first, deque() if lost is None else lost
        self._idle = [] if first is None else [first]
        self._early: dict[int, Own] = {}
        _pools.add(pool)

    def take(self) -> Own:
        """A connection that the server has not hung up on; the one on which something was asked
        for this thread, if there is one."""
        if early := self._early.pop(threading.get_ident(), None):
            return early
        with translated():
            while self._lost:  # somebody was in the middle of something
                found = self._lost.popleft()
                found._pool = self._pool  # noqa: SLF001 - the pool may have lost it itself, on the way
                self._replace(found)
            while self._hung_up(connection := self._next()):
                self._replace(connection)
            return connection

    def give_back(self, connection: Own) -> None:
        """Keep it for the next, or leave it to the pool, which looks after broken ones."""
        idle = connection.info.transaction_status is TransactionStatus.IDLE
        if idle and len(self._idle) < self._kept:
            self._idle.append(connection)
        else:
            self._let_go(connection)

    def ask_early(self, thread: int, call: Call) -> None:
        """Ask on an idle connection what this thread is about to ask in its next transaction. If
        none is idle or it fails, the thread asks itself."""
        try:
            connection = self._idle.pop()
        except IndexError:
            return
        try:
            if self._hung_up(connection):
                self._replace(connection)
            elif connection.prepared.ask_early(call):
                self._early[thread] = connection
            else:
                self._idle.append(connection)
        except psycopg.Error:
            self._replace(connection)

    def forget_early(self, thread: int) -> bool:
        """Nothing comes of what was asked for the thread; whether something was."""
        connection = self._early.pop(thread, None)
        if connection is None:
            return False
        try:
            connection.prepared.finish()
            connection.rollback()
        except psycopg.Error:
            connection.close()
        self.give_back(connection)
        return True

    def close(self) -> None:
        """Close all that is idle; what is lent closes when it comes back."""
        self._kept = 0
        for thread in list(self._early):
            self.forget_early(thread)
        while self._idle:
            self._let_go(self._idle.pop())
        self._pool.close()

    def _replace(self, connection: Own) -> None:
        connection.close()
        self._let_go(connection)

    def _let_go(self, connection: Own) -> None:
        if connection is self._first:  # the pool knows nothing of it
            self._first = None
            connection.close()
        else:
            self._pool.putconn(connection)

    def _next(self) -> Own:
        try:
            return self._idle.pop()
        except IndexError:
            return self._pool.getconn()


def hung_up(connection: psycopg.Connection[Any]) -> bool:
    """Whether the other end has closed it. A line on which nothing came is asked nothing."""
    if connection.closed:
        return True
    if not has_come(connection):
        return False
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return True
    return False


def _close_pools() -> None:
    """A program may end without closing its store. Collected later than here, a pool waits for
    threads that Python, from 3.13 on, lets do nothing more: five seconds for each."""
    for pool in list(_pools):
        pool.close()


atexit.register(_close_pools)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)
