"""Running the statements of one transaction, on our own connection or on a lent one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, Cursor, RawCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.sql import Composed

from stepwell.errors import Conflict
from stepwell.step import Step
from stepwell.stores.postgres.faults import translated
from stepwell.stores.postgres.queries import Call, Row, Statement, sql
from stepwell.stores.postgres.rows import step_reader


def tell(name: str) -> Call:
    """What tells other processes that work is due, in the name of this one."""
    return sql("notify_alone"), {"by": name}


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
        self._connection, self.lent = connection, lent
        self._survives = survives
        self.due = False
        self._told = self._half_done = False

    @property
    def connection(self) -> Connection[Any]:
        """The connection, with nothing under way on it."""
        return self._connection

    def rows(self, *names: str, **values: Any) -> list[Row]:
        """The rows that the statement of these parts gives."""
        return self.ask(sql(*names), values)

    def ask(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        """The rows that the statement gives, if it gives any."""
        (rows,) = self.rows_of((statement, values))
        return rows

    def rows_of(self, *calls: Call) -> list[list[Row]]:
        """The rows of each statement, in order."""
        return [self._rows(*call) for call in calls]

    def asked_early(self, call: Call) -> list[Row]:
        """The rows of the first statement, if it was sent before the transaction was used."""
        return []

    def _rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        # On our own connections prepared at once, for planning is what takes time; and in binary
        # form, which the driver reads faster.
        given, own = statement.values(values), not self.lent
        text = statement.typed if own else statement.text
        with translated(), RawCursor(self.connection, row_factory=tuple_row) as cursor:
            cursor.execute(text, given, prepare=own or None, binary=own)
            return cursor.fetchall() if cursor.description else []

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
        """The answer to a statement that was made for one query, planned for these very values."""
        if not self.lent:
            self.rows("plan_for_values")
        with translated(), self.connection.cursor(row_factory=tuple_row) as cursor:
            yield cursor.execute(statement, values, prepare=False)

    @contextmanager
    def whole(self, needed: bool) -> Iterator[None]:
        """All of the block, or nothing of it: if its error may be survived by the transaction,
        by a savepoint; else the transaction cannot be committed any more."""
        if not (self._survives if self.lent else needed):
            with self._all_or_no_commit():
                yield
            return
        before = self._half_done
        try:
            with translated():
                self._begin()
                with self.connection.transaction():
                    yield
        except BaseException:
            self._half_done = before
            raise

    @contextmanager
    def _all_or_no_commit(self) -> Iterator[None]:
        """What is refused before it is sent does not end a transaction by itself. A rule of ours
        is checked in a savepoint of its own, and leaves nothing."""
        try:
            yield
        except Conflict:
            raise
        except BaseException:
            self._half_done = True
            raise

    def _begin(self) -> None:
        """Without this a block on an idle lent connection would begin and commit by itself."""
        if self._idle() and not self.connection.autocommit:
            self.connection.execute("SELECT 1").close()

    def _idle(self) -> bool:
        return self.connection.info.transaction_status is TransactionStatus.IDLE

    def work_is_due(self, due: bool) -> None:
        """Remember that waiting engines should look; a lent transaction tells them itself."""
        self.due = self.due or due
        if due and self.lent and not self._told:
            self.rows("notify")
            self._told = True


def column_names(cursor: Cursor[Any]) -> Sequence[str]:
    """The names of the result's columns."""
    return [column.name for column in cursor.description or ()]
