"""The transaction that a handler writes in: locked first, settled last (R26)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.errors import InvalidSavepointSpecification
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from stepwell.errors import Conflict, HandlerInvalid
from stepwell.step import Claim
from stepwell.stores.postgres.faults import translated
from stepwell.stores.postgres.transaction import PostgresTransaction

SESSION: Final = (
    # As on the other connections; but plans and waiting are a handler's own affair.
    "-c idle_in_transaction_session_timeout=30s"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)

_FORGET: Final = b"""
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; DISCARD TEMP;
    SELECT pg_advisory_unlock_all()
"""
"""DISCARD ALL, but for the statements that the driver has prepared; and it may be sent as one."""


class PostgresExclusive(PostgresTransaction):
    """The verbs, and the connection to lend to one handler."""

    def lock(self, engine_id: UUID, claim: Claim, seconds: float) -> bool:
        """Lock the row if it is claimed so, and set the time limits of the transaction."""
        values = {"step_id": claim.step_id, "claim_no": claim.claim_no, "engine_id": engine_id}
        return bool(self._do.rows("hold", limit=f"{max(seconds * 1000, 1):.0f}", **values))

    @contextmanager
    def lend(self) -> Iterator[Connection[Any]]:
        """The connection. The driver refuses commit() and rollback() on it.

        Raises
        ------
        HandlerInvalid : the handler has ended the transaction with a statement.
        Conflict : it has closed the connection, or survived its loss.
        """
        with translated():
            self.connection.execute("SAVEPOINT stepwell_handler").close()
        yield self.connection
        if self.connection.closed:
            raise _closed()
        if self.connection.info.transaction_status is TransactionStatus.INERROR:
            return  # the settlement will say so
        with translated():
            self._still_marked()

    def _still_marked(self) -> None:
        try:
            self.connection.execute("RELEASE SAVEPOINT stepwell_handler").close()
        except InvalidSavepointSpecification as error:  # a COMMIT, and then another transaction
            raise _ended_by_hand() from error


def as_before(connection: Connection[Any]) -> None:
    """Take back what a handler has set on the connection; the next one gets it as new."""
    connection.row_factory = tuple_row
    connection.execute(_FORGET, prepare=False).close()
    connection.commit()


def _ended_by_hand() -> HandlerInvalid:
    return HandlerInvalid(
        "The handler has ended its transaction itself.",
        why="What it writes must commit with its step.",
        fix="Leave out COMMIT and ROLLBACK: return to commit, raise to roll back.",
    )


def _closed() -> Conflict:
    return Conflict(
        "The connection was closed while the handler had it.",
        why="It was only lent, to commit with the step.",
        fix="Leave it open, and let errors of the database through.",
    )
