"""Adding steps in the caller's own transaction: which driver connection is behind what they have.

A step and the rows that it is about commit together, or not at all. Callers
hand in what they hold: a driver's connection, or what SQLAlchemy or Django has
around one. All are recognised by their form, so none need be installed.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import ismethod
from typing import Any, Final, TypeVar

from stepwell.errors import NotSupported
from stepwell.stores.on_loop import OnLoop

Answer = TypeVar("Answer")

_SQLALCHEMYS: Final = "stream_scalars"
"""What its sessions, scoped sessions and connections of asyncio have, and nothing else."""


def driver_connection(lent: Any) -> Any:
    """The driver's connection behind a session, connection or pool proxy; else `lent` itself.

    Parameters
    ----------
    lent : a DB-API connection; SQLAlchemy's Session, scoped session or Connection, which
        begin their transaction if they have none; Django's `connection`, which connects if
        it has not; or an `OnLoop`.

    Raises
    ------
    NotSupported : a connection of asyncio: its statements must be awaited.
    """
    if isinstance(lent, OnLoop):
        return lent
    own = lent if is_asynchronous(lent) else _unwrapped(lent)
    if is_asynchronous(own):  # also behind SQLAlchemy's synchronous side of an AsyncSession
        raise _to_be_awaited(lent)
    return own


async def lend(verb: Callable[[Any], Answer], connection: Any) -> Answer:
    """Call a synchronous verb with the caller's connection, from a coroutine.

    Parameters
    ----------
    connection : asyncpg's, psycopg's or aiosqlite's of asyncio, or SQLAlchemy's AsyncSession
        or AsyncConnection on one of them. One that is synchronous is used as it is: its
        statements hold up the event loop, as those of its owner do.
    """
    if not is_asynchronous(connection):
        return verb(connection)
    return await OnLoop(await _awaited(connection)).run(verb)


def is_asynchronous(lent: Any) -> bool:
    """Whether it is a connection or session of asyncio."""
    return any(hasattr(lent, mark) for mark in ("__aenter__", _SQLALCHEMYS, "is_in_transaction"))


def refused(own: Any, store: str, fix: str) -> NotSupported:
    """The error for what is no connection of this store's kind of database."""
    lent = own.connection if isinstance(own, OnLoop) else own
    return NotSupported(
        f"This {type(lent).__name__} cannot be lent to a {store} store.",
        why="Its steps and yours must be in one transaction of one database.",
        fix=fix,
    )


def _unwrapped(lent: Any) -> Any:
    if hasattr(lent, "ensure_connection"):  # Django's
        lent.ensure_connection()
        return lent.connection
    if hasattr(lent, "driver_connection"):  # a connection of SQLAlchemy's pool
        return lent.driver_connection
    if hasattr(lent, "scalars"):  # SQLAlchemy's session, scoped session or connection
        connection = lent.connection() if ismethod(lent.connection) else lent
        return _begun(connection).connection.driver_connection
    return lent


def _begun(connection: Any) -> Any:
    """Begin as SQLAlchemy does with any first statement; else its commit would do nothing."""
    if not connection.in_transaction():
        connection.begin()
    return connection


async def _awaited(lent: Any) -> Any:
    """The driver's connection behind a session or connection of SQLAlchemy's for asyncio."""
    if not hasattr(lent, _SQLALCHEMYS):
        return lent
    connection = lent if hasattr(lent, "get_raw_connection") else await lent.connection()
    # SQLAlchemy's transaction begins with its first statement, and that of asyncpg with it.
    await connection.exec_driver_sql("SELECT 1")
    return (await connection.get_raw_connection()).driver_connection


def _to_be_awaited(lent: Any) -> NotSupported:
    return NotSupported(
        f"The statements of this {type(lent).__name__} must be awaited.",
        why="It is a connection of asyncio, and this call is synchronous.",
        fix="Write `await engine.add_async(step, connection=...)`, or add_if_none_async.",
    )
