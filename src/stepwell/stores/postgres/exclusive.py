"""The transaction that a handler writes in: locked first, settled last (R26)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from stepwell.errors import Conflict
from stepwell.step import Claim
from stepwell.stores.postgres.transaction import PostgresTransaction

SESSION: Final = (
    # As on the other connections; but plans and waiting are a handler's own affair.
    "-c idle_in_transaction_session_timeout=30s"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)
_OPEN: Final = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


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
        Conflict : the handler has ended the transaction with a statement, or closed it all.
        """
        yield self.connection
        if self.connection.info.transaction_status not in _OPEN:
            raise _ended_by_hand()


def as_before(connection: Connection[Any]) -> None:
    """Take back what a handler has set on the connection; the next one gets it as new."""
    connection.row_factory = tuple_row
    connection.execute("RESET ALL").close()
    connection.commit()


def _ended_by_hand() -> Conflict:
    return Conflict(
        "The handler has ended its transaction itself.",
        why="What it writes must commit with its step.",
        fix="Leave out COMMIT, ROLLBACK and close(): return to commit, raise to roll back.",
    )
