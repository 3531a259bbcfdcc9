"""The transaction that a handler writes in: looked at first, settled last (R26)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any
from uuid import UUID

from pymysql import err
from pymysql.connections import Connection

from stepwell.errors import Conflict, HandlerInvalid
from stepwell.step import Claim
from stepwell.stores.mysql.errors import DEADLOCK, NO_SAVEPOINT, number, translated
from stepwell.stores.mysql.statements import Statements
from stepwell.stores.mysql.verbs import MySQLTransaction

_POINT = "SAVEPOINT stepwell_handler"


class GuardedConnection(Connection):  # type: ignore[misc] # PyMySQL ships no types
    """A connection that can be lent: meanwhile it neither commits nor rolls back."""

    lent = False
    deadlocked = False

    def query(self, sql: Any, unbuffered: bool = False) -> Any:
        """Run a statement, and remember if the server has rolled back the transaction."""
        try:
            return super().query(sql, unbuffered)
        except err.OperationalError as error:
            self.deadlocked = self.deadlocked or number(error) == DEADLOCK
            raise

    def begin(self) -> None:
        """Begin a transaction, which ends the one before."""
        self._check("begin")
        super().begin()

    def commit(self) -> None:
        """Commit, unless it is lent."""
        self._check("commit")
        super().commit()

    def rollback(self) -> None:
        """Roll back, unless it is lent."""
        self._check("rollback")
        super().rollback()

    def autocommit(self, value: bool) -> None:
        """Change the mode, unless it is lent."""
        self._check("autocommit")
        super().autocommit(value)

    def _check(self, call: str) -> None:
        if self.lent:
            raise HandlerInvalid(
                f"{call}() is forbidden on the connection that a handler was given.",
                why="What it writes must commit with its step.",
                fix="Leave it out: return to commit, raise to roll back.",
            )


class MySQLExclusive(MySQLTransaction):
    """The verbs, and the connection to lend to one handler.

    Parameters
    ----------
    connection : of its own, and used for nothing else after it.
    """

    def __init__(self, connection: GuardedConnection) -> None:
        super().__init__(Statements(connection))
        self._connection = connection

    def lock(self, engine_id: UUID, claim: Claim, seconds: float) -> bool:
        """Whether the row is claimed so; sets the time limits of the transaction.

        The row is not locked before the settlement, for InnoDB's weakest lock would keep
        the heartbeat waiting. A claim that falls meanwhile shows then.
        """
        whole = max(ceil(seconds), 1)
        limits = {"seconds": seconds, "whole": whole, "milliseconds": max(int(seconds * 1000), 1)}
        self.statements.change("limit_time", **limits)
        values = {"id": str(claim.step_id), "claim_no": claim.claim_no, "engine": str(engine_id)}
        return bool(self.statements.rows("hold", **values))

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """The connection; commit() and rollback() are refused on it.

        Raises
        ------
        HandlerInvalid : the handler has ended the transaction, by COMMIT or by a statement
            that commits by itself, such as CREATE TABLE.
        Conflict : it has closed the connection, or survived its loss or a deadlock.
        """
        self.statements.select(_POINT, {})
        self._connection.lent = True
        try:
            yield self._connection
        finally:
            self._connection.lent = False
        if not self._connection.open or self._connection.deadlocked:
            raise _gone()
        self._still_marked()

    def _still_marked(self) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"RELEASE {_POINT}")
        except err.MySQLError as error:
            if number(error) == NO_SAVEPOINT:  # a COMMIT, and then another transaction
                raise _ended_by_hand() from error
            with translated():
                raise


def _ended_by_hand() -> HandlerInvalid:
    return HandlerInvalid(
        "The handler has ended its transaction itself.",
        why="What it writes must commit with its step; CREATE and ALTER commit by themselves.",
        fix="Leave out such statements: return to commit, raise to roll back.",
    )


def _gone() -> Conflict:
    return Conflict(
        "The handler's transaction is gone.",
        why="Its connection was closed, or the server has rolled it back to resolve a deadlock.",
        fix="Leave the connection open, and let errors of the database through.",
    )
