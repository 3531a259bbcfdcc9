"""The statements of a transaction of our own: begun with the first, committed with the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.pq import TransactionStatus

from stepwell.stores.postgres.faults import transaction_failed, translated
from stepwell.stores.postgres.prepared import Own
from stepwell.stores.postgres.queries import Call, Row
from stepwell.stores.postgres.statements import Statements, tell


class Committed(NamedTuple):
    """The rows of the last statements, and whether other processes were told of due work."""

    rows: list[list[Row]]
    told: bool


class OwnStatements(Statements):
    """The statements of a transaction that the store begins and ends.

    Parameters
    ----------
    connection : nothing else uses it before `commit`, or a rollback.
    """

    def __init__(self, connection: Own) -> None:
        super().__init__(connection)
        self._own = connection
        self._last: list[tuple[Call, Callable[[list[Row]], None]]] = []

    @property
    def connection(self) -> Connection[Any]:
        """The connection, with nothing under way on it."""
        self._own.prepared.finish()
        return self._own

    def begin(self) -> None:
        """Begin, with the first statement; or go on from what was asked early. What that has
        locked and nobody takes is free again with the commit: others may have looked meanwhile."""
        with translated():
            self.due = not self._own.prepared.begin()

    def close(self) -> None:
        """Close the connection, whatever is under way."""
        self._own.close()

    def rows_of(self, *calls: Call) -> list[list[Row]]:
        """The rows of each statement, in order: one journey for all."""
        with translated():
            return self._own.prepared.rows(*calls)

    def asked_early(self, call: Call) -> list[Row]:
        """The rows of the first statement, if it was sent before the transaction was used."""
        with translated():
            rows = self._own.prepared.asked_early(call)
        if rows is None:
            return []
        self.due = bool(rows)
        return rows

    def with_commit(self, call: Call, answered: Callable[[list[Row]], None]) -> None:
        """Run this with the commit: in one journey, and before what `commit` is given.

        Parameters
        ----------
        answered : is given the rows after the commit.
        """
        self._last.append((call, answered))

    def commit(self, *calls: Call, teller: str | None = None) -> Committed:
        """Run the last statements and commit, and tell others that work is due: one journey.

        Parameters
        ----------
        teller : the name of who tells; None tells nobody. If only telling fails, all is well.

        Raises
        ------
        Conflict : a verb has failed before, so that nothing of all may be kept.
        """
        with translated():
            failed = self._own.info.transaction_status is TransactionStatus.INERROR
            if failed or self._half_done:  # COMMIT would be answered with a rollback
                self.connection.rollback()
                raise transaction_failed()
            first = [call for call, _ in self._last]
            after = None if teller is None else tell(teller)
            rows, told = self._own.prepared.commit(*first, *calls, after=after)
        for (_, answered), given in zip(self._last, rows, strict=False):
            answered(given)
        return Committed(rows[len(first) :], told)
