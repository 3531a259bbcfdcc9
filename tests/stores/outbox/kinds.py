"""Every kind of connection that may be lent, with the same few words for each."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, TypeAlias
from uuid import UUID

import aiosqlite
import asyncpg
import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session

from stepwell import NewStep, StepClient, StepQuery


class TakenBack(Exception):
    """Ends a savepoint."""


@dataclass(frozen=True)
class Held:
    """A connection in its owner's hands, in or before a transaction.

    Parameters
    ----------
    lent : what is handed to Stepwell.
    begin_nested : a block that is rolled back to where it began if it raises.
    awaits : it is of asyncio.
    """

    lent: Any
    run: Callable[[str], Any]
    end: Callable[[str], Any]
    begin_nested: Callable[[], Any]
    awaits: bool = False

    async def execute(self, sql: str) -> None:
        await _done(self.run(sql))

    async def commit(self) -> None:
        await _done(self.end("commit"))

    async def rollback(self) -> None:
        await _done(self.end("rollback"))

    @asynccontextmanager
    async def taken_back(self) -> AsyncIterator[None]:
        try:
            if self.awaits:
                async with self.begin_nested():
                    yield
                    raise TakenBack
            with self.begin_nested():
                yield
                raise TakenBack
        except TakenBack:
            pass

    async def add(self, steps: StepClient, *new: NewStep) -> list[UUID]:
        if self.awaits:
            return await steps.add_async(*new, connection=self.lent)
        return steps.add_many(new, connection=self.lent)

    async def add_if_none(self, steps: StepClient, new: NewStep, query: StepQuery) -> UUID | None:
        if self.awaits:
            return await steps.add_if_none_async(new, query, connection=self.lent)
        return steps.add_if_none(new, query, connection=self.lent)


Kind: TypeAlias = Callable[[str], AbstractAsyncContextManager[Held]]
"""From the address of a database to a connection to it."""


async def _done(answer: Any) -> None:
    if isawaitable(answer):
        await answer


@contextmanager
def _marked(execute: Callable[[str], Any]) -> Iterator[None]:
    execute("SAVEPOINT mine")
    try:
        yield
    except BaseException:
        execute("ROLLBACK TO SAVEPOINT mine")
        raise


@asynccontextmanager
async def _marked_async(execute: Callable[[str], Awaitable[Any]]) -> AsyncIterator[None]:
    await execute("SAVEPOINT mine")
    try:
        yield
    except BaseException:
        await execute("ROLLBACK TO SAVEPOINT mine")
        raise


def _by_name(owner: Any) -> Callable[[str], Any]:
    return lambda end: getattr(owner, end)()


# -- drivers ---------------------------------------------------------------------------------------


@asynccontextmanager
async def of_sqlite3(path: str) -> AsyncIterator[Held]:
    with closing(sqlite3.connect(path)) as mine:
        yield Held(mine, mine.execute, _by_name(mine), lambda: _marked(mine.execute))


@asynccontextmanager
async def of_aiosqlite(path: str) -> AsyncIterator[Held]:
    async with aiosqlite.connect(path) as mine:
        nested = lambda: _marked_async(mine.execute)  # noqa: E731
        yield Held(mine, mine.execute, _by_name(mine), nested, awaits=True)


@asynccontextmanager
async def of_psycopg(url: str) -> AsyncIterator[Held]:
    with closing(psycopg.connect(url)) as mine:
        yield Held(mine, lambda sql: mine.execute(sql.encode()), _by_name(mine), mine.transaction)


@asynccontextmanager
async def of_psycopg_async(url: str) -> AsyncIterator[Held]:
    async with await psycopg.AsyncConnection.connect(url) as mine:
        run = lambda sql: mine.execute(sql.encode())  # noqa: E731
        yield Held(mine, run, _by_name(mine), mine.transaction, awaits=True)


@asynccontextmanager
async def of_asyncpg(url: str) -> AsyncIterator[Held]:
    mine = await asyncpg.connect(url)
    try:
        async with _in_asyncpg(mine) as held:
            yield held
    finally:
        await mine.close()


@asynccontextmanager
async def of_asyncpgs_pool(url: str) -> AsyncIterator[Held]:
    async with (
        asyncpg.create_pool(url, min_size=1) as pool,
        pool.acquire() as mine,
        _in_asyncpg(mine) as held,
    ):
        yield held


@asynccontextmanager
async def _in_asyncpg(mine: Any) -> AsyncIterator[Held]:
    """The driver has a transaction object, and must be told to begin."""
    transaction = mine.transaction()
    await transaction.start()
    yield Held(mine, mine.execute, _by_name(transaction), mine.transaction, awaits=True)


# -- SQLAlchemy ------------------------------------------------------------------------------------


def a_connection(scheme: str) -> Kind:
    @asynccontextmanager
    async def kind(url: str) -> AsyncIterator[Held]:
        database = create_engine(_address(scheme, url))
        with database.connect() as mine:
            yield _of_sqlalchemy(mine)
        database.dispose()

    return kind


def a_session(scheme: str) -> Kind:
    @asynccontextmanager
    async def kind(url: str) -> AsyncIterator[Held]:
        database = create_engine(_address(scheme, url))
        with Session(database) as mine:
            yield _of_sqlalchemy(mine)
        database.dispose()

    return kind


def an_async_connection(scheme: str) -> Kind:
    @asynccontextmanager
    async def kind(url: str) -> AsyncIterator[Held]:
        database = create_async_engine(_address(scheme, url))
        async with database.connect() as mine:
            yield _of_sqlalchemy(mine)
        await database.dispose()

    return kind


def an_async_session(scheme: str) -> Kind:
    @asynccontextmanager
    async def kind(url: str) -> AsyncIterator[Held]:
        database = create_async_engine(_address(scheme, url))
        async with AsyncSession(database) as mine:
            yield _of_sqlalchemy(mine)
        await database.dispose()

    return kind


@asynccontextmanager
async def an_async_scoped_session(url: str) -> AsyncIterator[Held]:
    database = create_async_engine(_address("postgresql+asyncpg", url))
    mine = async_scoped_session(async_sessionmaker(database), scopefunc=lambda: None)
    try:
        yield _of_sqlalchemy(mine)
    finally:
        await mine.remove()
        await database.dispose()


def _of_sqlalchemy(mine: Connection | Session | AsyncConnection | AsyncSession | Any) -> Held:
    return Held(
        mine,
        lambda sql: mine.execute(text(sql)),
        _by_name(mine),
        mine.begin_nested,
        awaits=isinstance(mine, AsyncConnection | AsyncSession | async_scoped_session),
    )


def _address(scheme: str, url: str) -> str:
    if scheme.startswith("sqlite"):
        return f"{scheme}:///{url}"
    return url.replace("postgresql", scheme, 1)


ON_SQLITE: Final[dict[str, Kind]] = {
    "sqlite3": of_sqlite3,
    "aiosqlite": of_aiosqlite,
    "Connection on sqlite3": a_connection("sqlite"),
    "Session on sqlite3": a_session("sqlite"),
    "AsyncConnection on aiosqlite": an_async_connection("sqlite+aiosqlite"),
    "AsyncSession on aiosqlite": an_async_session("sqlite+aiosqlite"),
}

ON_POSTGRES: Final[dict[str, Kind]] = {
    "psycopg": of_psycopg,
    "psycopg, asyncio": of_psycopg_async,
    "asyncpg": of_asyncpg,
    "asyncpg's pool": of_asyncpgs_pool,
    "Connection on psycopg": a_connection("postgresql+psycopg"),
    "Session on psycopg": a_session("postgresql+psycopg"),
    "AsyncConnection on psycopg": an_async_connection("postgresql+psycopg"),
    "AsyncSession on psycopg": an_async_session("postgresql+psycopg"),
    "AsyncConnection on asyncpg": an_async_connection("postgresql+asyncpg"),
    "AsyncSession on asyncpg": an_async_session("postgresql+asyncpg"),
    "async_scoped_session on asyncpg": an_async_scoped_session,
}
