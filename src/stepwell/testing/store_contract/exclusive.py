"""A handler's own transaction: locked by its claim, lent, settled by itself (R26)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import pytest

from stepwell.errors import NotSupported
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import Addition, Claim, EndedAs, Step, StepStatus
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import ContractBase, needs, sql

Lend: TypeAlias = Callable[[Store], AbstractContextManager[Any]]
SECONDS = 30.0


class ExclusiveContract(ContractBase):
    """What holds of the connection that is lent to a handler."""

    @needs("exactly once")
    def test_what_a_handler_writes_commits_with_the_settlement(
        self, store: Store, lend: Lend
    ) -> None:
        engine, step = self._claimed(store, lend)
        spawned = self.make_step("spawned")
        with store.exclusive() as tx:
            assert tx.lock(engine, step.claim, SECONDS)
            with tx.lend() as connection:
                sql(connection, "INSERT INTO orders VALUES (1)")
            assert tx.settle(engine, [self.ending(step, spawned)]) == [Verdict.APPLIED]
        assert self._orders(store, lend) == 1
        assert self.find(store, step).status is StepStatus.DONE
        assert self.find(store, spawned) == spawned

    @needs("exactly once")
    def test_what_a_handler_writes_is_taken_back_with_the_settlement(
        self, store: Store, lend: Lend
    ) -> None:
        engine, step = self._claimed(store, lend)

        def write(connection: Any) -> None:
            sql(connection, "INSERT INTO orders VALUES (1)")

        with pytest.raises(_Undo):
            self._undo(store, engine, step, write)
        assert self._orders(store, lend) == 0
        assert self.find(store, step) == step

    @needs("exactly once")
    def test_a_step_added_on_the_connection_is_taken_back_too(
        self, store: Store, lend: Lend
    ) -> None:
        engine, step = self._claimed(store, lend)

        def add(connection: Any) -> None:
            assert store.on(connection).add([Addition(self.make_step())]) == [True]

        with pytest.raises(_Undo):
            self._undo(store, engine, step, add)
        assert self.all_ids(store) == {step.id}

    @needs("exactly once")
    @pytest.mark.parametrize("how", ["commit", "rollback"])
    def test_a_handler_can_neither_commit_nor_roll_back(
        self, store: Store, lend: Lend, how: str
    ) -> None:
        engine, step = self._claimed(store, lend)
        with store.exclusive() as tx:
            tx.lock(engine, step.claim, SECONDS)
            with tx.lend() as connection:
                sql(connection, "INSERT INTO orders VALUES (1)")
                with pytest.raises(Exception, match=r"forbidden|authorized"):
                    getattr(connection, how)()
            tx.settle(engine, [self.ending(step)])
        assert self._orders(store, lend) == 1

    @needs("exactly once")
    def test_a_transaction_that_a_statement_has_ended_is_noticed(
        self, store: Store, lend: Lend
    ) -> None:
        engine, step = self._claimed(store, lend)
        with pytest.raises(Exception, match=r"ended its transaction|authorized"):
            self._end_by_hand(store, engine, step)
        assert self.find(store, step) == step

    @needs("exactly once")
    def test_a_claim_that_does_not_hold_is_not_locked(self, store: Store, lend: Lend) -> None:
        engine, step = self._claimed(store, lend)
        other = self.make_engine(store)
        stale = Claim(step.id, step.claim_no - 1)
        assert not self._locks(store, engine, stale)
        assert not self._locks(store, other, step.claim)
        assert not self._locks(store, engine, Claim(new_id(), 1))
        self.release(store, engine, step.claim)
        assert not self._locks(store, engine, step.claim)

    @needs("exactly once")
    @pytest.mark.parametrize("ended_as", [EndedAs.DONE, EndedAs.FAILED, None])
    def test_a_claim_that_was_settled_is_not_locked(
        self, store: Store, lend: Lend, ended_as: EndedAs | None
    ) -> None:
        engine, step = self._claimed(store, lend)
        self.settle(store, engine, self.ending(step, ended_as=ended_as))
        assert not self._locks(store, engine, step.claim)

    @needs("exactly once")
    def test_a_lock_leaves_the_row_as_it_is(self, store: Store, lend: Lend) -> None:
        engine, step = self._claimed(store, lend)
        assert self._locks(store, engine, step.claim)
        assert self._locks(store, engine, step.claim)
        assert self.find(store, step) == step

    @needs("exactly once")
    def test_each_handler_gets_the_connection_as_new(self, store: Store, lend: Lend) -> None:
        engine, step = self._claimed(store, lend)
        for _ in range(12):
            with store.exclusive() as tx:
                tx.lock(engine, step.claim, SECONDS)
                with tx.lend() as connection:
                    assert sql(connection, "SELECT 1") == [(1,)]
                    connection.row_factory = lambda *_: None

    def test_a_store_without_a_connection_for_handlers_says_so(self, store: Store) -> None:
        if not store.capabilities.exactly_once:
            with pytest.raises(NotSupported):
                store.exclusive()

    def _claimed(self, store: Store, lend: Lend) -> tuple[Any, Step]:
        with lend(store) as connection:
            sql(connection, "CREATE TABLE orders (id integer)")
            connection.commit()
        self.added(store)
        engine = self.make_engine(store)
        return engine, self.claim_one(store, engine)

    def _orders(self, store: Store, lend: Lend) -> int:
        with lend(store) as connection:
            return int(sql(connection, "SELECT count(*) FROM orders")[0][0])

    def _locks(self, store: Store, engine: Any, claim: Claim) -> bool:
        with store.exclusive() as tx:
            return tx.lock(engine, claim, SECONDS)

    def _undo(self, store: Store, engine: Any, step: Step, act: Callable[[Any], None]) -> None:
        with store.exclusive() as tx:
            tx.lock(engine, step.claim, SECONDS)
            with tx.lend() as connection:
                act(connection)
            tx.settle(engine, [self.ending(step)])
            raise _Undo

    def _end_by_hand(self, store: Store, engine: Any, step: Step) -> None:
        with store.exclusive() as tx:
            tx.lock(engine, step.claim, SECONDS)
            with tx.lend() as connection:
                sql(connection, "INSERT INTO orders VALUES (1)")
                sql(connection, "COMMIT")
                sql(connection, "INSERT INTO orders VALUES (2)")


class _Undo(Exception):
    """Raised to make a transaction roll back."""
