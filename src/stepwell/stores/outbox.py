"""Adding steps in the caller's own transaction: which driver connection is behind what they have.

A step and the rows that it is about commit together, or not at all. Callers
hand in what they hold: a DB-API connection, or a SQLAlchemy session or
connection. SQLAlchemy is recognised by its form, so it need not be installed.
"""

from __future__ import annotations

from inspect import ismethod
from typing import Any

from stepwell.errors import NotSupported


def driver_connection(lent: Any) -> Any:
    """The driver's connection behind a session, connection or pool proxy; else `lent` itself.

    Parameters
    ----------
    lent : a DB-API connection, or SQLAlchemy's Session, scoped session or Connection; these
        begin their transaction if they have none.

    Raises
    ------
    NotSupported : an asyncio session or connection, which no synchronous store can use.
    """
    if hasattr(lent, "run_sync"):
        raise _asynchronous(lent)
    if hasattr(lent, "driver_connection"):  # a connection of SQLAlchemy's pool
        return lent.driver_connection
    inner = getattr(lent, "connection", None)
    if ismethod(inner):  # a session
        return _begun(inner()).connection.driver_connection
    if inner is not None and hasattr(lent, "in_transaction"):
        return _begun(lent).connection.driver_connection
    return lent


def _begun(connection: Any) -> Any:
    """Begin as SQLAlchemy does with any first statement; else its commit would do nothing."""
    if not connection.in_transaction():
        connection.begin()
    return connection


def _asynchronous(lent: Any) -> NotSupported:
    return NotSupported(
        f"An {type(lent).__name__} cannot be lent to a store directly.",
        why="The store's statements are synchronous.",
        fix="Use a synchronous session for this transaction, in a thread of its own.",
    )
