"""The transaction that a handler writes in: locked first, settled last (R26)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from uuid import UUID

from stepwell.clock import Clock
from stepwell.errors import Conflict
from stepwell.step import Claim
from stepwell.stores.sqlite.statements import Statements
from stepwell.stores.sqlite.verbs import SQLiteTransaction


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
        alarm = Timer(self._seconds, connection.interrupt)
        alarm.daemon = True
        connection.set_authorizer(_Guard(connection))
        alarm.start()
        try:
            yield connection
        finally:
            alarm.cancel()
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
