"""A connection of aiosqlite, as the statements of the SQLite store use one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepwell.stores.on_loop import OnLoop


def is_aiosqlite(connection: Any) -> bool:
    """Whether it is a connection of aiosqlite."""
    return hasattr(connection, "execute_fetchall")


class LoopConnection:
    """What `Statements` uses of a `sqlite3.Connection`; each call is done on the loop.

    Parameters
    ----------
    lent : an `aiosqlite.Connection`.
    """

    def __init__(self, lent: OnLoop) -> None:
        self._lent = lent

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._lent.connection.in_transaction)

    @property
    def isolation_level(self) -> str | None:
        """None: each statement commits by itself, unless somebody has begun."""
        level: str | None = self._lent.connection.isolation_level
        return level

    def cursor(self) -> LoopCursor:
        """A new cursor."""
        return LoopCursor(self._lent, self._lent.wait(self._lent.connection.cursor()))


class LoopCursor:
    """What `Statements` uses of a `sqlite3.Cursor`."""

    def __init__(self, lent: OnLoop, cursor: Any) -> None:
        self._lent, self._cursor = lent, cursor

    @property
    def row_factory(self) -> Any:
        """What makes a row of a tuple."""
        return self._cursor.row_factory

    @row_factory.setter
    def row_factory(self, factory: Any) -> None:
        self._cursor.row_factory = factory

    @property
    def rowcount(self) -> int:
        """How many rows the statement has changed."""
        return int(self._cursor.rowcount)

    def execute(self, sql: str, values: Any = ()) -> LoopCursor:
        """Execute a statement."""
        self._lent.wait(self._cursor.execute(sql, values))
        return self

    def executemany(self, sql: str, rows: Any) -> LoopCursor:
        """Execute a statement for each of the rows of values."""
        self._lent.wait(self._cursor.executemany(sql, rows))
        return self

    def fetchone(self) -> Any:
        """The next row, or None."""
        return self._lent.wait(self._cursor.fetchone())

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        return list(self._lent.wait(self._cursor.fetchall()))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())
