"""Requests that come at the same time share a transaction, and so a commit.

SQLite has one writer at a time, and most of what a small write costs is the wait for the
disk. Whoever finds nobody writing writes for all that wait; the more there are, the more of
them one commit serves, and nobody waits for company. Each has a savepoint, so a mistake is the
error of its maker alone; nobody is answered before the commit, and if that fails, all are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection

from stepwell.server.database.session import Database, translated

T = TypeVar("T")
Work: TypeAlias = Callable[[Connection], Any]
Waiting: TypeAlias = tuple[Work, "asyncio.Future[Any]"]

MOST: Final = 64
"""So many requests share a transaction at most: others write too."""

AT_ONCE: Final = 16
"""So many have a transaction of their own at once, on PostgreSQL: fewer than there are connections
that stay open, and than there are threads, which people's requests want too."""


class Together:
    """Does the work of many requests on the event loop's threads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lines: WeakKeyDictionary[Any, _Line] = WeakKeyDictionary()
        self._limiters: WeakKeyDictionary[Any, CapacityLimiter] = WeakKeyDictionary()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, when it is durable; raises what it raises, and what
        `Database.write` raises."""
        loop = asyncio.get_running_loop()
        if self._db.engine.dialect.name != "sqlite":
            return await to_thread.run_sync(self._alone, work, limiter=self._limiter(loop))
        line = self._lines.setdefault(loop, _Line(self._db))
        return await line.stand(work)  # type: ignore[no-any-return] # the caller's own

    def _limiter(self, loop: Any) -> CapacityLimiter:
        found = self._limiters.get(loop)
        if found is None:
            found = self._limiters[loop] = CapacityLimiter(AT_ONCE)
        return found

    def _alone(self, work: Callable[[Connection], T]) -> T:
        with self._db.write() as conn:
            return work(conn)


class _Line:
    """Who waits on one event loop; its state is touched by that loop alone."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: list[Waiting] = []
        self._leader: asyncio.Task[None] | None = None

    async def stand(self, work: Work) -> Any:
        """What became of the work."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._leader is None:
            self._leader = asyncio.create_task(self._lead())
        return await future

    async def _lead(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                works = [work for work, _ in some]
                for (_, future), answer in zip(some, await self._done(works), strict=True):
                    _answer(future, answer)
        finally:
            self._leader = None

    async def _done(self, works: list[Work]) -> list[Any]:
        """What each returned or raised."""
        try:
            return await to_thread.run_sync(self._do, works)
        except Exception as error:  # of all: nothing was kept
            return [error] * len(works)

    def _do(self, works: list[Work]) -> list[Any]:
        with self._db.write() as conn:
            if len(works) == 1:
                return [works[0](conn)]
            return [_tried(conn, work) for work in works]


def _tried(conn: Connection, work: Work) -> Any:
    """What it returned or raised; raises only what concerns all who share the transaction."""
    driver: Any = conn.connection.driver_connection
    driver.execute("SAVEPOINT request")
    try:
        with translated():
            answer = work(conn)
    except Exception as error:  # is raised where the work was asked for
        if not driver.in_transaction:
            raise  # a full disk: SQLite has taken back what the others wrote too
        driver.execute("ROLLBACK TO request")
        answer = error
    driver.execute("RELEASE request")
    return answer


def _answer(future: asyncio.Future[Any], answer: Any) -> None:
    with suppress(asyncio.InvalidStateError):  # whoever asked is gone
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
