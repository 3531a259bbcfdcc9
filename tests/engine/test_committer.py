"""Group commit when the store refuses, vanishes, or loses its answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, StepClient, StepStatus, done, new_step
from stepwell.engine import worker
from stepwell.errors import (
    AttemptRejected,
    SchemaMissing,
    SettlementRejected,
    StepwellError,
    StoreUnavailable,
)
from stepwell.ids import new_id
from stepwell.retry import RetryPolicy
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import ClaimRequest, Transaction


class CuttingStore(MemoryStore):
    """A store whose connection is cut at commits of a chosen verb.

    `cuts` maps a verb to what happens at its next commits: 'before' or 'after'.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cuts: dict[str, list[str]] = {}
        self.called: list[str] = []

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """As ever, but for the cuts."""
        when = None
        with super().transaction() as tx:
            noted = _Noted(tx)
            yield noted
            self.called.append(noted.verb)
            if self.cuts.get(noted.verb):
                when = self.cuts[noted.verb].pop(0)
            if when == "before":
                raise StoreUnavailable("cut before the commit")
        if when == "after":
            raise StoreUnavailable("cut after the commit")


class _Noted:
    def __init__(self, tx: Transaction) -> None:
        self._tx, self.verb = tx, ""

    def __getattr__(self, verb: str) -> Any:
        self.verb = verb
        return getattr(self._tx, verb)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["claim", "settle"])
def test_a_cut_at_a_commit_neither_loses_nor_doubles_a_step(verb: str, when: str) -> None:
    """R13."""
    store, registry, runs = CuttingStore(), Registry(), []

    @registry.handler("v1/a")
    def a(state: int) -> Outcome:
        runs.append(state)
        return done(next=new_step("v1/b", state))

    registry.handler("v1/b")(lambda state: None)
    engine = Engine(store, registry)
    engine.add_many(new_step("v1/a", n) for n in range(20))
    store.cuts[verb] = [when, when]
    tally = engine.drain()
    assert (tally.done, tally.refused) == (40, 0)
    assert sorted(runs) == list(range(20))
    assert StepClient(store).count(name="v1/b").done == 20


def test_a_claim_whose_answer_was_lost_is_released_at_once() -> None:
    """R13: it reads the rows in its name and gives back those it does not hold."""
    store, registry = CuttingStore(), Registry()
    registry.handler("v1/a")(lambda: None)
    engine = Engine(store, registry)
    engine.add(new_step("v1/a"))
    store.cuts["claim"] = ["after"]
    assert engine.drain().done == 1
    called = [verb for verb in store.called if verb != "beat"]  # which has a thread of its own
    lost = called.index("claim")
    assert called[lost + 1 : lost + 3] == ["claimed", "release"]


class PickyStore(MemoryStore):
    """A store that refuses settlements with a certain result."""

    refusal: type[SettlementRejected] = SettlementRejected
    attempts = 10**6

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """As ever, but `settle` looks at the results."""
        with super().transaction() as tx:
            yield _Picky(tx, self)


class _Picky:
    def __init__(self, tx: Transaction, store: PickyStore) -> None:
        self._tx, self._store = tx, store

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._tx, verb)

    def settle(self, engine_id: Any, settlements: Any) -> Any:
        if any(
            one.result == '"poison"' and one.failure_count < self._store.attempts
            for one in settlements
        ):
            raise self._store.refusal("Not this.", why="It is poison.")
        return self._tx.settle(engine_id, settlements)


def _picky(refusal: type[SettlementRejected], attempts: int) -> tuple[Engine, list[int]]:
    store, registry, runs = PickyStore(), Registry(), []
    store.refusal, store.attempts = refusal, attempts

    @registry.handler("v1/a", retry=RetryPolicy(delays=(0.01,), attempts=3))
    def a(state: int) -> Outcome:
        runs.append(state)
        return done("poison" if state == 5 else "fine")

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/a", n) for n in range(16))
    return engine, runs


def test_a_rejected_batch_is_halved_until_the_culprit_is_alone() -> None:
    """R16: it fails with the reason and is not retried; the others commit."""
    engine, runs = _picky(SettlementRejected, 10**6)
    tally = engine.drain(patience=5)
    assert (tally.done, tally.failed) == (15, 1)
    assert runs.count(5) == 1
    (failed,) = StepClient(engine.store).search(status=StepStatus.FAILED)
    assert failed.description == "Not this. It is poison."


def test_a_rejection_that_counts_as_an_attempt_is_retried() -> None:
    """R38: a compare-and-swap conflict makes a failed attempt."""
    engine, runs = _picky(AttemptRejected, 1)
    tally = engine.drain(patience=5)
    assert (tally.done, tally.failed) == (16, 0)
    assert runs.count(5) == 2


def test_a_rejection_that_counts_as_an_attempt_uses_up_the_attempts() -> None:
    engine, runs = _picky(AttemptRejected, 10**6)
    tally = engine.drain(patience=5)
    assert (tally.done, tally.failed) == (15, 1)
    assert runs.count(5) == 3


class GrimStore(MemoryStore):
    """A store that refuses every settlement of one step, whatever it says, so many times."""

    def __init__(self, refusal: type[StepwellError], times: int) -> None:
        super().__init__()
        self.refusal, self.times = refusal, times
        self.grudge: Any = None

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """As ever, but `settle` looks at whose settlements they are."""
        with super().transaction() as tx:
            yield _Grim(tx, self)


class _Grim:
    def __init__(self, tx: Transaction, store: GrimStore) -> None:
        self._tx, self._store = tx, store

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._tx, verb)

    def settle(self, engine_id: Any, settlements: Any) -> Any:
        about = [one.claim.step_id for one in settlements]
        if self._store.grudge in about and self._store.times:
            self._store.times -= 1
            raise self._store.refusal("Not this.")
        return self._tx.settle(engine_id, settlements)


def _with_grudge(refusal: type[StepwellError], times: int) -> tuple[Engine, list[int]]:
    store, registry, runs = GrimStore(refusal, times), Registry(), []

    @registry.handler("v1/a")
    def a(state: int) -> None:
        runs.append(state)

    engine = Engine(store, registry)
    store.grudge = engine.add_many(new_step("v1/a", n) for n in range(16))[5]
    return engine, runs


@pytest.mark.parametrize("refusal", [SettlementRejected, AttemptRejected])
def test_a_step_whose_every_settlement_is_refused_does_not_stop_the_others(
    refusal: type[StepwellError],
) -> None:
    engine, runs = _with_grudge(refusal, 10**6)
    tally = engine.drain()
    assert (tally.done, tally.refused, len(runs)) == (15, 1, 16)


def test_tables_that_are_missing_for_a_moment_are_no_fault_of_the_steps() -> None:
    """Promise 7: a pause."""
    engine, runs = _with_grudge(SchemaMissing, 3)
    tally = engine.drain()
    assert (tally.done, tally.failed, len(runs)) == (16, 0, 16)


def test_a_claim_that_commits_after_its_engine_has_given_it_up_is_found_and_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R13: the look after a failure may come too early, so it is repeated."""
    monkeypatch.setattr(worker, "RECONCILE", 0.2)
    store, registry = MemoryStore(), Registry()
    registry.handler("v1/a")(lambda: None)
    with Engine(store, registry) as engine:
        late = ClaimRequest(engine_id=engine.id or new_id(), request_id=new_id(), names=("v1/b",))
        step_id = engine.add(new_step("v1/b"))
        with store.transaction() as tx:
            assert len(tx.claim(late).steps) == 1
        engine.add(new_step("v1/a"))
        wait_for(lambda: engine.get(step_id).claimed_by is None and engine.get(step_id).claim_no)
