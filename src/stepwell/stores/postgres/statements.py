"""Running the statements of one transaction, on our own connection or on a lent one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from psycopg import Connection, Cursor, RawCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.sql import Composed

from stepwell.step import Step
from stepwell.stores.postgres.faults import translated
from stepwell.stores.postgres.queries import Statement, sql
from stepwell.stores.postgres.rows import step_reader

Row: TypeAlias = tuple[Any, ...]


class Statements:
    """The connection of one transaction, and what its statements have in common.

    Parameters
    ----------
    connection : of psycopg; its row factory and settings are left as they are.
    lent : the caller's own: news of due work goes with its commit.
    survives : errors must leave the transaction of a lent connection usable.
    """

    def __init__(
        self, connection: Connection[Any], *, lent: bool = False, survives: bool = True
    ) -> None:
        self.connection, self.lent = connection, lent
        self._survives = survives
        self.due = False
        self._told = False

    def rows(self, name: str, /, **values: Any) -> list[Row]:
        """The rows that the statement `name` gives."""
        with self.cursor(sql(name), values) as cursor:
            return cursor.fetchall()

    def run(self, name: str, /, **values: Any) -> None:
        """Execute the statement `name`, which gives no rows."""
        with self.cursor(sql(name), values):
            pass

    @contextmanager
    def cursor(self, statement: Statement, values: Mapping[str, Any]) -> Iterator[Cursor[Row]]:
        """An executed cursor of plain tuples; closes at the end of the block."""
        with translated(), RawCursor(self.connection, row_factory=tuple_row) as cursor:
            # On our own connections at once, for planning is what takes time; and in binary
            # form, which the driver reads faster.
            prepare = None if self.lent else True
            given = statement.values(values)
            yield cursor.execute(statement.text, given, prepare=prepare, binary=not self.lent)

    def composed(self, statement: Composed, values: Mapping[str, Any]) -> list[Row]:
        """The rows that a statement made for one query gives."""
        with self.composed_cursor(statement, values) as cursor:
            return cursor.fetchall()

    def steps(self, statement: Composed, values: Mapping[str, Any]) -> list[Step]:
        """The rows that a statement made for one query gives, as steps."""
        with self.composed_cursor(statement, values) as cursor:
            read = step_reader(column_names(cursor))
            return [read(row) for row in cursor.fetchall()]

    @contextmanager
    def composed_cursor(
        self, statement: Composed, values: Mapping[str, Any]
    ) -> Iterator[Cursor[Row]]:
        """As `cursor`, and the plan is made for these very values."""
        if not self.lent:
            self.rows("plan_for_values")
        with translated(), self.connection.cursor(row_factory=tuple_row) as cursor:
            yield cursor.execute(statement, values, prepare=False)

    @contextmanager
    def whole(self, needed: bool) -> Iterator[None]:
        """All of the block, or nothing of it, if its error may be survived by the transaction."""
        if not (self._survives if self.lent else needed):
            yield
            return
        with translated():
            self._begin()
            with self.connection.transaction():
                yield

    def _begin(self) -> None:
        """Without this a block on an idle lent connection would begin and commit by itself."""
        idle = self.connection.info.transaction_status is TransactionStatus.IDLE
        if idle and not self.connection.autocommit:
            self.connection.execute("SELECT 1").close()

    def work_is_due(self, due: bool) -> None:
        """Remember that waiting engines should look; a lent transaction tells them itself."""
        self.due = self.due or due
        if due and self.lent and not self._told:
            self.rows("notify")
            self._told = True


def column_names(cursor: Cursor[Any]) -> Sequence[str]:
    """The names of the result's columns."""
    return [column.name for column in cursor.description or ()]
