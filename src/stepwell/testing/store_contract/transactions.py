"""What commits together, what is lent, what is kept, and who hears of it (R25, R27)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import pytest

from stepwell.errors import NotSupported, UniqueKeyTaken
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import Addition, EndedAs, StepQuery, StepStatus
from stepwell.stores.protocol import Store, Transaction, Wake
from stepwell.testing.store_contract.base import PATIENCE, ContractBase, ahead, needs, sql, together

Lend: TypeAlias = Callable[[Store], AbstractContextManager[Any]]


class _Undo(Exception):
    """Raised to make a transaction roll back."""


def _undo(store: Store, act: Callable[[Transaction], Any]) -> None:
    with store.transaction() as tx:
        act(tx)
        raise _Undo


class TransactionsContract(ContractBase):
    """What holds of transactions, lent connections, setup and wakes."""

    @needs("transactions")
    def test_rollback_takes_the_step_with_it(self, store: Store) -> None:
        step = self.make_step(unique_key="k")
        with pytest.raises(_Undo):
            _undo(store, lambda tx: tx.add([Addition(step)]))
        assert self.all_ids(store) == set()
        assert self.add(store, step) == [True]

    @needs("transactions")
    def test_rollback_undoes_every_verb(self, store: Store) -> None:
        rows = [self.added(store) for _ in range(3)]
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine, limit=1)
        before = {row.id: self.find(store, row) for row in rows}

        def act(tx: Transaction) -> None:
            tx.settle(engine, [self.ending(claimed, self.make_step("spawned"))])
            tx.claim(self.request(engine))
            tx.activate(rows[1].id, "1", None)
            tx.end(rows[2].id, EndedAs.CANCELLED, "no")
            tx.leave(engine)

        with pytest.raises(_Undo):
            _undo(store, act)
        with store.transaction() as tx:
            assert {row.id: row for row in tx.search(StepQuery())} == before
            assert tx.claimed(engine) == [claimed.claim]

    @needs("transactions")
    def test_several_verbs_commit_together(self, store: Store) -> None:
        step = self.make_step()
        engine = self.make_engine(store)
        with store.transaction() as tx:
            tx.add([Addition(step)])
            (claimed,) = tx.claim(self.request(engine)).steps
            assert tx.settle(engine, [self.ending(claimed)]) == [Verdict.APPLIED]
            assert tx.search(StepQuery(status=StepStatus.DONE))[0].id == step.id
        assert self.find(store, step).status is StepStatus.DONE

    def test_a_failed_transaction_leaves_the_store_usable(self, store: Store) -> None:
        self.added(store, unique_key="k")
        for _ in range(20):
            with pytest.raises(UniqueKeyTaken):
                self.add(store, self.make_step(unique_key="k"))
        self.added(store)

    @needs("outbox")
    def test_a_lent_connection_commits_steps_with_its_own_rows(
        self, store: Store, lend: Lend
    ) -> None:
        step = self.make_step()
        with lend(store) as connection:
            sql(connection, "CREATE TABLE orders (id integer)")
            sql(connection, "INSERT INTO orders VALUES (1)")
            assert store.on(connection).add([Addition(step)]) == [True]
            connection.commit()
            assert sql(connection, "SELECT id FROM orders") == [(1,)]
        assert self.find(store, step) == step

    @needs("outbox")
    def test_a_lent_connection_takes_steps_back_with_its_own_rows(
        self, store: Store, lend: Lend
    ) -> None:
        with lend(store) as connection:
            sql(connection, "CREATE TABLE orders (id integer)")
            connection.commit()
            sql(connection, "INSERT INTO orders VALUES (1)")
            store.on(connection).add([Addition(self.make_step())])
            connection.rollback()
            assert sql(connection, "SELECT id FROM orders") == []
        assert self.all_ids(store) == set()

    @needs("outbox")
    def test_a_step_added_first_on_a_lent_connection_is_taken_back_too(
        self, store: Store, lend: Lend
    ) -> None:
        with lend(store) as connection:
            store.on(connection).add([Addition(self.make_step())])
            connection.rollback()
        assert self.all_ids(store) == set()

    @needs("outbox")
    def test_a_key_taken_on_a_lent_connection_leaves_its_transaction_alive(
        self, store: Store, lend: Lend
    ) -> None:
        self.added(store, unique_key="k")
        plain, clash = self.make_step(), self.make_step(unique_key="k")
        kept = self.make_step()
        with lend(store) as connection:
            verbs = store.on(connection)
            verbs.add([Addition(kept)])
            with pytest.raises(UniqueKeyTaken):
                verbs.add([Addition(plain), Addition(clash)])
            connection.commit()
        assert kept.id in self.all_ids(store)
        assert plain.id not in self.all_ids(store)

    def test_a_store_without_outbox_says_so(self, store: Store) -> None:
        if store.capabilities.outbox:
            return
        with pytest.raises(NotSupported):
            store.on(object())

    def test_what_is_no_connection_is_not_taken(self, store: Store) -> None:
        with pytest.raises(NotSupported):
            store.on("connection")

    def test_a_verb_that_is_lacking_says_so(self, store: Store) -> None:
        calls: dict[str, Callable[[Any], Any]] = {
            "bury": lambda tx: tx.bury(new_id(), 0),
            "add_if_none": lambda tx: tx.add_if_none(Addition(self.make_step()), StepQuery()),
        }
        for verb in self.lacks & calls.keys():
            with pytest.raises(NotSupported), store.transaction() as tx:
                calls[verb](tx)

    def test_only_known_verbs_can_be_lacking(self) -> None:
        assert self.lacks <= {"bury", "add_if_none", "wake", "set_control"}

    @needs("durable")
    def test_another_store_object_sees_what_was_committed(
        self, store: Store, other_store: Store
    ) -> None:
        step = self.added(store)
        assert self.find(other_store, step) == step
        engine = self.make_engine(other_store)
        claimed = self.claim_one(other_store, engine)
        assert self.find(store, step) == claimed

    def test_opening_and_migrating_again_is_harmless(self, store: Store) -> None:
        step = self.added(store)
        assert store.migrate() == []
        store.open()
        assert self.find(store, step) == step

    def test_a_store_is_usable_from_many_threads(self, store: Store) -> None:
        steps = [[self.make_step() for _ in range(5)] for _ in range(8)]
        answers = together(*[lambda s=some: self.add(store, *s) for some in steps])
        assert answers == [[True] * 5] * 8
        assert len(self.all_ids(store)) == 40

    def test_a_wake_sleeps_while_nothing_happens(self, store: Store) -> None:
        wake = store.wake()
        wake.wait(0)  # for who waits somebody listens
        until = time.monotonic() + PATIENCE
        while not self.listens(store):
            assert time.monotonic() < until, "it never listens"
            time.sleep(0.01)
        self._calm(wake)
        assert not wake.wait(0.05)
        wake.close()

    def test_a_wake_can_be_set_from_another_thread(self, store: Store) -> None:
        wake = store.wake()
        self._calm(wake)
        timer = threading.Timer(0.05, wake.set)
        timer.start()
        assert wake.wait(PATIENCE)
        timer.join()
        wake.close()

    def test_a_wake_that_was_set_does_not_wait(self, store: Store) -> None:
        wake = store.wake()
        wake.set()
        begun = time.monotonic()
        assert wake.wait(PATIENCE)
        assert time.monotonic() - begun < PATIENCE / 2
        wake.close()

    @needs("wake")
    def test_a_wake_hears_of_new_work(self, store: Store, other_store: Store) -> None:
        wake = store.wake()
        for where in (store, other_store):
            self._calm(wake)
            self.added(where)
            assert wake.wait(PATIENCE)
        wake.close()

    @needs("wake")
    def test_a_waiting_wake_hears_of_new_work(self, store: Store, other_store: Store) -> None:
        wake = store.wake()
        self._calm(wake)
        timer = threading.Timer(0.05, lambda: self.added(other_store, schedule_time=ahead(0)))
        timer.start()
        assert wake.wait(PATIENCE)
        timer.join()
        wake.close()

    def _calm(self, wake: Wake) -> None:
        """Let what happened before be heard, so that the next thing is news."""
        until = time.monotonic() + PATIENCE
        while wake.wait(0.3):
            assert time.monotonic() < until, "the wake is never quiet"
