"""Running the statements of one transaction, on our own connection or on a lent one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final, NamedTuple, TypeAlias

import psycopg
from psycopg import Connection, Cursor, Pipeline, RawCursor
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.rows import tuple_row
from psycopg.sql import Composed

from stepwell.errors import Conflict
from stepwell.step import Step
from stepwell.stores.postgres.faults import transaction_failed, translated
from stepwell.stores.postgres.line import has_come
from stepwell.stores.postgres.queries import Statement, sql
from stepwell.stores.postgres.rows import step_reader

Row: TypeAlias = tuple[Any, ...]
Call: TypeAlias = tuple[Statement, Mapping[str, Any]]
"""A statement and its values."""


class Committed(NamedTuple):
    """The rows of the last statements, and whether other processes were told of due work."""

    rows: list[list[Row]]
    told: bool


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
        self._beginning = False
        self.due = False
        self._told = self._half_done = False
        self._last: list[tuple[Call, Callable[[list[Row]], None]]] = []

    @property
    def connection(self) -> Connection[Any]:
        """The connection, with nothing under way on it."""
        if self._beginning:
            self._beginning = False
            _take_answer(self._connection)
        return self._connection

    def begin(self) -> None:
        """Begin a transaction on a connection of our own, and go on before the answer comes: by
        the time that the first statement is made, it is there."""
        with translated():
            self._connection.pgconn.send_query(_BEGIN)
            self._beginning = True
            self._connection.pgconn.flush()

    def close(self) -> None:
        """Close the connection, whatever is under way."""
        self._connection.close()

    def rows(self, *names: str, **values: Any) -> list[Row]:
        """The rows that the statement of these parts gives."""
        return self._rows(sql(*names), values)

    def run(self, name: str, /, **values: Any) -> None:
        """Execute the statement `name`, which gives no rows."""
        with self.cursor(sql(name), values):
            pass

    @contextmanager
    def cursor(self, statement: Statement, values: Mapping[str, Any]) -> Iterator[Cursor[Row]]:
        """An executed cursor of plain tuples; closes at the end of the block."""
        with translated(), self._new_cursor() as cursor:
            self._execute(cursor, statement, values)
            yield cursor

    def rows_of(self, *calls: Call) -> list[list[Row]]:
        """The rows of each statement, in order."""
        return [self._rows(*call) for call in calls]

    def _rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        with self.cursor(statement, values) as cursor:
            return cursor.fetchall()

    def _new_cursor(self) -> RawCursor[Row]:
        return RawCursor(self.connection, row_factory=tuple_row)

    def _execute(
        self, cursor: Cursor[Row], statement: Statement, values: Mapping[str, Any]
    ) -> None:
        # On our own connections at once, for planning is what takes time; and in binary form,
        # which the driver reads faster.
        given = statement.values(values)
        if self.lent:
            cursor.execute(statement.text, given, prepare=None, binary=False)
        else:
            cursor.execute(statement.typed, given, prepare=True, binary=True)

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

    def with_commit(self, call: Call, answered: Callable[[list[Row]], None]) -> None:
        """Run this with the commit: in one journey, and before what `commit` is given.

        Parameters
        ----------
        answered : is given the rows after the commit.
        """
        self._last.append((call, answered))

    def commit(self, *calls: Call, teller: str | None = None) -> Committed:
        """Run the last statements and commit, and tell others that work is due: one journey.

        Nothing may be sent so that leaves the transaction open: the driver ends what it sends
        together with a message after which the server no longer ends an idle transaction.

        Parameters
        ----------
        teller : the name of who tells; None tells nobody. If only telling fails, all is well.

        Raises
        ------
        Conflict : a verb has failed before, so that nothing of all may be kept.
        """
        with translated():
            if self._half_done:
                self.connection.rollback()
                raise transaction_failed()
            if self.connection.info.transaction_status is TransactionStatus.INERROR:
                self.connection.execute("SELECT 1")  # COMMIT would be answered with a rollback
            first = [call for call, _ in self._last]
            if not first and not calls and teller is None:
                self.connection.commit()
                return Committed([], told=False)
            rows, told = self._all_at_once([*first, *calls], teller)
        for (_, answered), given in zip(self._last, rows, strict=False):
            answered(given)
        return Committed(rows[len(first) :], told)

    def _all_at_once(self, calls: Sequence[Call], teller: str | None) -> Committed:
        asking = [self._new_cursor() for _ in calls]
        committing, telling = self._new_cursor(), self._new_cursor()
        told = teller is not None
        try:
            with self.connection.pipeline() if Pipeline.is_supported() else nullcontext():
                for cursor, call in zip(asking, calls, strict=True):
                    self._execute(cursor, *call)
                committing.execute(b"COMMIT", prepare=False)  # readable on the line
                if teller is not None:
                    self._execute(telling, *tell(teller))
        except psycopg.Error:
            if committing.statusmessage != "COMMIT":
                raise
            told = False
        return Committed([cursor.fetchall() for cursor in asking], told)

    def work_is_due(self, due: bool) -> None:
        """Remember that waiting engines should look; a lent transaction tells them itself."""
        self.due = self.due or due
        if due and self.lent and not self._told:
            self.rows("notify")
            self._told = True


_BEGIN: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED"


def _take_answer(connection: Connection[Any]) -> None:
    """Of a command that was sent without the driver; raises what that would."""
    server = connection.pgconn
    while server.is_busy():
        has_come(connection)
        server.consume_input()
    while (result := server.get_result()) is not None:
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)


def column_names(cursor: Cursor[Any]) -> Sequence[str]:
    """The names of the result's columns."""
    return [column.name for column in cursor.description or ()]
