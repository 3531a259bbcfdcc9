"""The statements of one transaction on a caller's connection of asyncio: psycopg's or asyncpg's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Protocol

from psycopg import AsyncConnection, AsyncRawCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.sql import Composed

from stepwell.stores.on_loop import OnLoop
from stepwell.stores.postgres.faults import translated_by_state
from stepwell.stores.postgres.queries import Row, Statement, numbered
from stepwell.stores.postgres.statements import Statements

_BEGIN: Final = ("BEGIN", "COMMIT", "ROLLBACK")
_MARK: Final = (
    "SAVEPOINT stepwell_verb",
    "RELEASE SAVEPOINT stepwell_verb",
    "ROLLBACK TO SAVEPOINT stepwell_verb",
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is left of a cursor when its rows have come."""

    rows: list[Row]
    description: Sequence[Any]

    def fetchall(self) -> list[Row]:
        """The rows, in order."""
        return self.rows


class Driver(Protocol):
    """What differs between the drivers of asyncio."""

    async def run(self, text: str, values: Sequence[Any]) -> Answered:
        """Execute a statement whose parameters are `$1`, `$2` and so on."""
        ...

    def begun(self) -> bool:
        """Whether the next statement is one of a transaction that the caller will commit."""
        ...


class LoopStatements(Statements):
    """Statements on a lent connection of asyncio; the thread that runs them waits for the loop.

    Parameters
    ----------
    lent : the connection, of a kind that `driver_of` knows.
    """

    def __init__(self, lent: OnLoop, driver: Driver) -> None:
        super().__init__(lent.connection, lent=True)
        self._loop, self._driver = lent, driver

    def _rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        return self._answer(statement, values).rows

    @contextmanager
    def composed_cursor(self, statement: Composed, values: Mapping[str, Any]) -> Iterator[Any]:
        """The answer to a statement that was made for one query."""
        yield self._answer(numbered(statement.as_string()), values)

    def _answer(self, statement: Statement, values: Mapping[str, Any]) -> Answered:
        return self._run(statement.text.decode(), statement.values(values))

    @contextmanager
    def whole(self, needed: bool) -> Iterator[None]:
        """All of the block, or nothing of it; the caller's transaction goes on either way."""
        begin, keep, undo = _MARK if self._driver.begun() else _BEGIN
        self._run(begin)
        try:
            yield
        except BaseException:
            self._run(undo)
            raise
        self._run(keep)

    def _run(self, text: str, values: Sequence[Any] = ()) -> Answered:
        with translated_by_state():
            return self._loop.wait(self._driver.run(text, values))


def driver_of(connection: Any) -> Driver | None:
    """The driver of this connection of asyncio, or None: it is of another kind."""
    if isinstance(connection, AsyncConnection):
        return _Psycopg(connection)
    return _Asyncpg(connection) if hasattr(connection, "is_in_transaction") else None


@dataclass(frozen=True, slots=True)
class _Psycopg:
    connection: AsyncConnection[Any]

    async def run(self, text: str, values: Sequence[Any]) -> Answered:
        async with AsyncRawCursor(self.connection, row_factory=tuple_row) as cursor:
            await cursor.execute(text.encode(), values or None)
            columns = cursor.description
            return Answered(await cursor.fetchall() if columns else [], columns or ())

    def begun(self) -> bool:
        # Outside autocommit the driver begins before any first statement.
        idle = self.connection.info.transaction_status is TransactionStatus.IDLE
        return not (idle and self.connection.autocommit)


@dataclass(frozen=True, slots=True)
class _Asyncpg:
    connection: Any

    async def run(self, text: str, values: Sequence[Any]) -> Answered:
        if self.connection.is_closed():
            raise ConnectionError("The connection is closed.")
        rows = await self.connection.fetch(text, *values)
        names = rows[0].keys() if rows else ()
        return Answered(rows, [SimpleNamespace(name=name) for name in names])

    def begun(self) -> bool:
        return bool(self.connection.is_in_transaction())
