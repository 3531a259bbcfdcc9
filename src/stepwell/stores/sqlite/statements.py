"""Running statements on one connection, and who begins its transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, TypeAlias

from stepwell.errors import StoreUnavailable
from stepwell.step import Step
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.rows import step_of
from stepwell.stores.sqlite.sql import QUERIES

WRITER_SECONDS: Final = 30.0
"""How long a writer waits for the other writers of this process."""

_LEGACY: Final = -1
"""`sqlite3.LEGACY_TRANSACTION_CONTROL`, which Python 3.11 does not know."""

Values: TypeAlias = dict[str, Any] | Sequence[Any]


class Statements:
    """Statements on a connection that the caller begins and commits: the outbox (R27).

    Its row factory and settings are left as they are.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.news = self.beats = False

    def run(self, query: str, values: Values) -> sqlite3.Cursor:
        """Execute the statement of a file in `queries`."""
        return self.execute(QUERIES[query], values)

    def run_many(self, query: str, rows: Iterable[Any]) -> int:
        """Execute it for each row; the number of rows changed."""
        return self._cursor().executemany(QUERIES[query], rows).rowcount if rows else 0

    def steps(self, sql: str, values: Values) -> Iterator[Step]:
        """The rows as steps."""
        cursor = self._cursor()
        cursor.row_factory = step_of
        return cursor.execute(sql, values)

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        """Execute a short statement; the rows are tuples."""
        return self._cursor().execute(sql, values)

    def version(self) -> int:
        """Is another one as soon as another connection has committed."""
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def writing(self, *, news: bool = False) -> Iterator[None]:
        """One verb: whole, or taken back, whatever the caller does with the error.

        `news` says that there may be something to claim afterwards.
        """
        with translated():
            self._begin()
            self.execute("SAVEPOINT stepwell_verb")
            try:
                yield
            except BaseException:
                self._take_back()
                raise
            self.execute("RELEASE stepwell_verb")
        self.news = self.news or news

    def undo(self) -> None:
        """Take back what the present verb has written; it goes on."""
        self.execute("ROLLBACK TO stepwell_verb")

    def _begin(self) -> None:
        """As the driver does before a write, where the caller leaves that to the driver."""
        # Python 3.12 has a second setting, by which the driver may never begin.
        drivers = getattr(self.connection, "autocommit", _LEGACY) == _LEGACY
        level = self.connection.isolation_level
        if drivers and level is not None and not self.connection.in_transaction:
            self.execute("BEGIN IMMEDIATE")

    def _take_back(self) -> None:
        # SQLite has already rolled everything back after a full disk or an I/O error.
        if self.connection.in_transaction:
            self.execute("ROLLBACK TO stepwell_verb")
            self.execute("RELEASE stepwell_verb")

    def _cursor(self) -> sqlite3.Cursor:
        cursor = self.connection.cursor()
        cursor.row_factory = None
        return cursor


class OwnStatements(Statements):
    """Statements on the store's own connection: the first write begins the transaction.

    Writers of one process take turns by a lock, which is fair; SQLite's own
    waiting is a sleep. Readers begin nothing and hold nobody up.
    """

    def __init__(self, connection: sqlite3.Connection, turn: Lock) -> None:
        super().__init__(connection)
        self._turn, self._begun = turn, False

    def commit(self) -> None:
        """Make the writes durable."""
        if self._begun:
            with translated():
                self.execute("COMMIT")

    def end(self) -> None:
        """Roll back what was not committed, and let the next writer begin."""
        try:
            if self.connection.in_transaction:
                with translated():
                    self.execute("ROLLBACK")
        finally:
            if self._begun:
                self._begun = False
                self._turn.release()

    def _begin(self) -> None:
        if self._begun:
            return
        if not self._turn.acquire(timeout=WRITER_SECONDS):
            raise _no_turn()
        self._begun = True
        self.execute("BEGIN IMMEDIATE")


def _no_turn() -> StoreUnavailable:
    return StoreUnavailable(
        f"Another transaction of this process has been writing for {WRITER_SECONDS:.0f} s.",
        why="SQLite has one writer at a time; a transaction inside another waits for itself.",
        fix="Use the transaction that is open already, and keep transactions short.",
    )
