"""Running the statements of one transaction, on our own connection or on a lent one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from pymysql import err
from pymysql.connections import Connection
from pymysql.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS
from pymysql.cursors import Cursor

from stepwell.errors import Conflict, StoreUnavailable
from stepwell.stores.mysql.errors import DUPLICATE, number, translated
from stepwell.stores.mysql.sql import QUERIES

Row: TypeAlias = tuple[Any, ...]

_ANY_LENGTH: Final = 1 << 30
"""The driver must not make several statements of one: a duplicate takes back a statement."""


class Statements:
    """The connection of one transaction, and what its statements have in common.

    Parameters
    ----------
    connection : of PyMySQL; its cursor class and settings are left as they are.
    lent : the caller's own: errors must leave its transaction usable.
    """

    def __init__(self, connection: Connection, *, lent: bool = False) -> None:
        self.connection, self.lent = connection, lent
        self.news, self._failed, self._half_done, self._inside = False, False, False, False

    def rows(self, name: str, /, **values: Any) -> Sequence[Row]:
        """The rows that the statement `name` gives."""
        return self.select(QUERIES[name], values)

    def current(self, name: str, /, **values: Any) -> Sequence[Row]:
        """The same, as they are now: a lent transaction may read as of its first statement."""
        return self.select(QUERIES[name] + (" FOR UPDATE" if self.lent else ""), values)

    def select(self, sql: str, values: dict[str, Any]) -> Sequence[Row]:
        """The rows of a statement made for one query."""
        with self._cursor() as cursor:
            cursor.execute(sql, values)
            rows: Sequence[Row] = cursor.fetchall()
        return rows

    def change(self, name: str, /, **values: Any) -> int:
        """How many rows the statement changed; none where they were so already."""
        with self._cursor() as cursor:
            changed: int = cursor.execute(QUERIES[name], values)
        return changed

    def insert(self, name: str, rows: Sequence[Sequence[Any]]) -> bool:
        """Insert all of the rows, or none of them if an id or a unique key is taken (False)."""
        with self._cursor() as cursor:
            cursor.max_stmt_length = _ANY_LENGTH
            try:
                cursor.executemany(QUERIES[name], rows)
            except err.IntegrityError as error:
                if number(error) != DUPLICATE:
                    raise
                return False
        return True

    @contextmanager
    def whole(self, *, needed: bool) -> Iterator[None]:
        """All of the block, or nothing of it: if its error may be survived by the transaction,
        by a savepoint; else the transaction cannot be committed any more."""
        if self._inside:
            yield
        elif not (needed or self.lent):
            with self._all_or_no_commit():
                yield
        elif self.lent and self._commits_each_statement():
            with self._bracket("BEGIN", "COMMIT", "ROLLBACK"):
                yield
        else:
            point = "SAVEPOINT stepwell_verb"
            with self._bracket(point, f"RELEASE {point}", f"ROLLBACK TO {point}"):
                yield

    @contextmanager
    def _all_or_no_commit(self) -> Iterator[None]:
        """A statement that is refused takes back itself alone. A rule of ours is checked in a
        savepoint of its own, and leaves nothing."""
        try:
            yield
        except Conflict:
            raise
        except BaseException:
            self._half_done = True
            raise

    def commit(self) -> None:
        """Make it durable.

        Raises
        ------
        Conflict : a verb has failed before, so that nothing of all may be kept; or the server
            has rolled everything back.
        StoreUnavailable : the answer was lost.
        """
        if self._failed or self._half_done:
            unavailable = "The store became unavailable in the middle of it."
            raise Conflict(
                "The transaction has failed already.",
                why=unavailable if self._failed else "An earlier call in it raised an error.",
                fix="Let the error through, and begin again.",
            )
        with translated():
            self.connection.commit()

    def _commits_each_statement(self) -> bool:
        begun = self.connection.server_status & SERVER_STATUS_IN_TRANS
        return self.connection.get_autocommit() and not begun

    @contextmanager
    def _bracket(self, begin: str, end: str, undo: str) -> Iterator[None]:
        self.select(begin, {})
        self._inside = True  # a second savepoint of the name would take the place of the first
        try:
            yield
        except BaseException:
            self._take_back(undo)
            raise
        finally:
            self._inside = False
        self.select(end, {})

    def _take_back(self, undo: str) -> None:
        # After a deadlock there is no savepoint any more, after a cut no connection.
        if not self._failed:
            self.select(undo, {})

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        try:
            with translated(), self.connection.cursor(Cursor) as cursor:
                yield cursor
        except StoreUnavailable:
            self._failed = True
            raise
