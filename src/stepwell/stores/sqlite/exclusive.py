"""The transaction that a handler writes in: locked first, settled last (R26)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Self
from uuid import UUID

from stepwell.clock import Clock
from stepwell.errors import Conflict, HandlerInvalid
from stepwell.step import Claim
from stepwell.stores.sqlite.statements import Statements
from stepwell.stores.sqlite.verbs import SQLiteTransaction


class GuardedConnection(sqlite3.Connection):
    """A connection that can be lent: meanwhile it says in words that it does not commit.

    What goes round these calls meets the guard, and SQLite's own "not authorized".
    """

    lent = False

    def commit(self) -> None:
        """Commit, unless it is lent."""
        self._check("commit()")
        super().commit()

    def rollback(self) -> None:
        """Roll back, unless it is lent."""
        self._check("rollback()")
        super().rollback()

    def executescript(self, script: str, /) -> sqlite3.Cursor:
        """Commit and run a script, unless it is lent."""
        self._check("executescript()")
        return super().executescript(script)

    def __enter__(self) -> Self:
        self._check("`with connection:`")
        return super().__enter__()

    def _check(self, what: str) -> None:
        if self.lent:
            raise HandlerInvalid(
                f"{what} is forbidden on the connection that a handler was given.",
                why="What it writes must commit with its step, and this would end the transaction.",
                fix="Leave it out: return to commit, raise to roll back.",
            )


class SQLiteExclusive(SQLiteTransaction):
    """The verbs, and the connection to lend to one handler.

    Parameters
    ----------
    statements : on a connection of its own that keeps no prepared statements.
    clock : the store's time.
    """

    def __init__(self, statements: Statements, clock: Clock) -> None:
        super().__init__(statements, clock)
        self._seconds = 0.0

    def lock(self, engine_id: UUID, claim: Claim, seconds: float) -> bool:
        """Take the file's write lock, and say whether the row is claimed so."""
        self._seconds = seconds
        values = {"id": str(claim.step_id), "claim_no": claim.claim_no, "engine": str(engine_id)}
        with self._sql.writing():
            return self._sql.run("lock", values).fetchone() is not None

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """The connection; a statement that still runs when the time is over is interrupted.

        Raises
        ------
        Conflict : the transaction did not outlive the block, for example on a full disk.
        """
        connection = self._sql.connection
        assert isinstance(connection, GuardedConnection), "it is made for this"
        alarm = Timer(self._seconds, connection.interrupt)
        alarm.daemon = True
        connection.set_authorizer(_Guard(connection))
        alarm.start()
        connection.lent = True
        try:
            yield connection
        finally:
            alarm.cancel()
            connection.lent = False
            connection.set_authorizer(None)
        if not connection.in_transaction:
            raise _gone()


class _Guard:
    """Allows what happens inside the transaction: no commit, and nothing after its end."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, action: int, *_names: str | None) -> int:
        if action == sqlite3.SQLITE_TRANSACTION or not self._connection.in_transaction:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK


def _gone() -> Conflict:
    return Conflict(
        "SQLite has rolled the handler's transaction back.",
        why="It does so after a full disk, an I/O error or an interrupted write.",
        fix="Let the handler's errors through; what it wrote is gone.",
    )
