"""Exactly once: what a handler writes commits with the settlement of its step (R26).

Such a step leaves the group commit. One transaction locks its row, lends the
connection to the handler, settles, and commits. Whatever goes wrong takes the
handler's writes back: an exception, a claim that was lost, data that is refused
at the commit. If the answer to the commit was lost, the row tells (R13).
"""

from __future__ import annotations

import threading

from stepwell.engine.committer import Answered, Ended, delays
from stepwell.engine.execution import Execution
from stepwell.engine.held import Held, Holding
from stepwell.engine.inside import inside
from stepwell.errors import HandlerInvalid, NotSupported, StoreUnavailable
from stepwell.events import emit
from stepwell.outcome import Settlement, Verdict
from stepwell.registry import Registry
from stepwell.step import StepQuery
from stepwell.stores.moves import settled_before
from stepwell.stores.protocol import Exclusive, Store


class Once:
    """Runs the steps of one engine whose handlers ask for the connection.

    Parameters
    ----------
    held : the book to take a claim out of that is given back.
    """

    def __init__(self, store: Store, held: Held) -> None:
        self._store, self._held = store, held
        self._over = threading.Event()

    def stop(self) -> None:
        """Begin nothing more that had to wait for the store."""
        self._over.set()

    def run(self, holding: Holding, execution: Execution) -> Ended | Answered | None:
        """Execute the step in a transaction of its own.

        Returns
        -------
        What the store has answered; or the outcome to be settled with others, where the
        handler's writes were rolled back; or None where the claim was not used up.
        """
        for delay in delays():
            attempt = _Attempt(self._store, holding, execution)
            try:
                return Answered(holding, attempt.make())
            except _Undone as undone:
                return Ended(holding, execution, undone.settlement)
            except StoreUnavailable as error:
                emit("engine.settle_failed", error=str(error), retry_after=delay)
                if attempt.settlement is not None:
                    return self._after_lost_answer(holding, execution, attempt.settlement)
            except HandlerInvalid as error:  # it has committed by itself: not again
                return Ended(holding, execution, execution.rejected(error))
            except Exception as error:  # refused at the settlement or the commit
                emit("step.rejected", step=holding.step.id, error=str(error))
                return Ended(holding, execution, execution.retried(error))
            if self._over.wait(delay):
                break
        return None

    def _after_lost_answer(
        self, holding: Holding, execution: Execution, settlement: Settlement
    ) -> Ended | Answered | None:
        """The commit may have happened; the handler is not run again until the row says no."""
        for delay in delays():
            try:
                released, settled = self._look(holding)
            except Exception as error:
                emit("engine.settle_failed", error=str(error), retry_after=delay)
                if self._over.wait(delay):
                    break
                continue
            if not released:
                return Answered(holding, settlement if settled else None)
            self._held.settled([holding])
            emit("step.undone", step=holding.step.id, name=holding.step.name)
            break
        return None

    def _look(self, holding: Holding) -> tuple[bool, bool]:
        """Give the claim back, if it is still there; else whether it was settled.

        Giving back waits for a commit that is under way.
        """
        with self._store.transaction() as tx:
            if tx.release(holding.engine_id, [holding.claim]):
                return True, False
        with self._store.transaction() as tx:
            rows = tx.search(StepQuery(ids=(holding.step.id,)))
        return False, any(settled_before(row, holding.claim, holding.engine_id) for row in rows)


class _Attempt:
    """One transaction: lock, run, settle, commit."""

    def __init__(self, store: Store, holding: Holding, execution: Execution) -> None:
        self._store, self._holding, self._execution = store, holding, execution
        self.settlement: Settlement | None = None

    def make(self) -> Settlement | None:
        """The settlement that was committed, or None if the claim had been taken away.

        Raises
        ------
        _Undone : the handler raised.
        StoreUnavailable : the handler has not run; or its `settlement` may be committed or not.
        Exception : the store or the time limit refused; all is rolled back.
        """
        try:
            with self._store.exclusive() as tx:
                limit = self._execution.handler.transaction_timeout
                if not tx.lock(self._holding.engine_id, self._holding.claim, limit):
                    raise _Refused
                settlement = self._run(tx)
                self._check_time(limit)
                self._settle(tx, settlement)
        except _Refused:
            return None
        return self.settlement

    def _run(self, tx: Exclusive) -> Settlement:
        with tx.lend() as connection, inside(self._store):
            self.settlement = self._execution.run(connection)
            if self._execution.error is not None:
                raise _Undone(self.settlement)
        return self.settlement

    def _check_time(self, limit: float) -> None:
        took = self._execution.seconds
        if took > limit:
            raise TimeoutError(
                f"The handler took {took:.1f} s of the {limit:g} s that its transaction may take."
            )

    def _settle(self, tx: Exclusive, settlement: Settlement) -> None:
        if tx.settle(self._holding.engine_id, [settlement]) != [Verdict.APPLIED]:
            raise _Refused


class _Undone(Exception):
    """The handler raised: its writes are taken back, and this is to be settled."""

    def __init__(self, settlement: Settlement) -> None:
        super().__init__()
        self.settlement = settlement


class _Refused(Exception):
    """The claim has been taken away (R12)."""


def check_store(store: Store, registry: Registry) -> None:
    """Refuse handlers that ask for a connection where the store has none to give.

    Raises
    ------
    NotSupported : naming the handlers.
    """
    names = registry.exactly_once
    if names and not store.capabilities.exactly_once:
        raise NotSupported(
            f"A {type(store).__name__} cannot run {', '.join(names)}.",
            why="The handler takes `connection`, and this store has none that it could lend.",
            fix="Use a SQLite, PostgreSQL or MySQL store, or take the parameter out.",
        )
