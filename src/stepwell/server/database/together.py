"""Requests that come at the same time share a transaction, and so a commit.

Whoever finds nobody writing writes for all that wait; the more there are, the more of them one
commit serves, and nobody waits for company. Nobody is answered before the commit.

SQLite has one writer at a time, and most of what a small write costs is the wait for the disk.
There every request may share; each has a savepoint, so a mistake is the error of its maker alone,
and if the commit fails, all are told.

On PostgreSQL those share whose answers can be found together, in as many statements as one of
them needs (`Many`). Whatever goes wrong takes back the transaction of all, and each is answered in
one of its own, as all other requests are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, TypeAlias, TypeVar
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


LINES: Final = 2
"""So many shared transactions are open at once on PostgreSQL: while one commits, another asks."""

ALONE: Final = object()
"""The answer of `Many` to who needs a transaction of its own."""


class Many(Protocol):
    """Answers many requests in one transaction of PostgreSQL, and waits for no lock of a run."""

    def takes(self, work: Work) -> bool:
        """Whether it may know the answer."""
        ...

    def answers(self, conn: Connection, works: Sequence[Work]) -> list[Any]:
        """An answer for each, or `ALONE`. What it raises is nobody's answer."""
        ...


class Together:
    """Does the work of many requests on the event loop's threads.

    Parameters
    ----------
    many : answers requests together on PostgreSQL; without it each has its own transaction.
    """

    def __init__(self, db: Database, many: Many | None = None) -> None:
        self._db, self._many = db, many
        self._lines: WeakKeyDictionary[Any, _Line] = WeakKeyDictionary()
        self._limiters: WeakKeyDictionary[Any, CapacityLimiter] = WeakKeyDictionary()
        self._sqlite = db.engine.dialect.name == "sqlite"

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, when it is durable; raises what it raises, and what
        `Database.write` raises."""
        answer: Any = await self._shared(work) if self._may_share(work) else ALONE
        if answer is ALONE:
            limiter = self._limiter(asyncio.get_running_loop())
            return await to_thread.run_sync(self._alone, work, limiter=limiter)
        return answer  # type: ignore[no-any-return] # the caller's own

    def _may_share(self, work: Work) -> bool:
        return self._sqlite or (self._many is not None and self._many.takes(work))

    async def _shared(self, work: Work) -> Any:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            made = _Line(self._each, 1) if self._sqlite else _Line(self._at_once, LINES)
            line = self._lines.setdefault(loop, made)
        return await line.stand(work)

    def _limiter(self, loop: Any) -> CapacityLimiter:
        found = self._limiters.get(loop)
        if found is None:
            found = self._limiters[loop] = CapacityLimiter(AT_ONCE)
        return found

    def _alone(self, work: Callable[[Connection], T]) -> T:
        with self._db.write() as conn:
            return work(conn)

    def _each(self, works: list[Work]) -> list[Any]:
        """What each returned or raised."""
        try:
            with self._db.write() as conn:
                if len(works) == 1:
                    return [works[0](conn)]
                return [_tried(conn, work) for work in works]
        except Exception as error:  # of all: nothing was kept
            return [error] * len(works)

    def _at_once(self, works: list[Work]) -> list[Any]:
        """What answers them all says; if it fails nothing was kept, and each is asked alone."""
        assert self._many is not None
        try:
            with self._db.write() as conn:
                return self._many.answers(conn, works)
        except Exception:  # whose it is shows where each has a transaction of its own
            return [ALONE] * len(works)


class _Line:
    """Who waits on one event loop; its state is touched by that loop alone.

    Parameters
    ----------
    do : what becomes of several works, in a thread; it raises nothing.
    most : so many threads do that at once.
    """

    def __init__(self, do: Callable[[list[Work]], list[Any]], most: int) -> None:
        self._do, self._most = do, most
        self._waiting: list[Waiting] = []
        self._leaders: set[asyncio.Task[None]] = set()

    async def stand(self, work: Work) -> Any:
        """What became of the work."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if len(self._leaders) < self._most:
            self._leaders.add(asyncio.create_task(self._lead()))
        return await future

    async def _lead(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                works = [work for work, _ in some]
                for (_, future), answer in zip(some, await self._done(works), strict=True):
                    _answer(future, answer)
        finally:
            self._leaders.discard(asyncio.current_task())

    async def _done(self, works: list[Work]) -> list[Any]:
        try:
            return await to_thread.run_sync(self._do, works)
        except Exception as error:  # no thread could be started
            return [error] * len(works)


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
