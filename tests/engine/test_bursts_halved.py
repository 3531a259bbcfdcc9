"""Of many steps whose claims are written, half run while the next commit is written."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import pytest

from stepwell import Engine, Registry, Step, StepStatus, new_step
from stepwell.engine import bursts
from stepwell.errors import StoreUnavailable
from stepwell.stores.protocol import Store

PATIENCE: Final = 90.0


@pytest.fixture(autouse=True)
def halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight are many."""
    monkeypatch.setattr(bursts, "HALVED", 8)


class Commits:
    """What happens between the last statement of each transaction and its commit.

    Parameters
    ----------
    first : called once, before the first commit that settles something, with how many steps it
        settles.
    """

    def __init__(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, first: Callable[[int], None]
    ) -> None:
        self._whole, self._first = store.transaction, first
        self._thread = threading.current_thread()
        monkeypatch.setattr(store, "transaction", self._transaction)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._whole() as tx:
            settled = _noting(tx)
            yield tx
            if settled and threading.current_thread().name == "stepwell-feed":
                first, self._first = self._first, lambda _: None
                first(len(settled))


def _noting(tx: Any) -> list[bool]:
    """Filled when something is settled in this transaction."""
    settled: list[bool] = []
    settle = tx.settle

    def noted(engine_id: UUID, settlements: Any) -> Any:
        settled.extend([True] * len(settlements))
        return settle(engine_id, settlements)

    tx.settle = noted
    return settled


def test_steps_that_were_claimed_before_run_while_a_commit_is_written(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A burst that is over before its steps are has nothing to settle, or not all that ran.
    monkeypatch.setattr(bursts, "LULL", PATIENCE)
    monkeypatch.setattr(bursts, "LATE", PATIENCE / bursts.LONGEST)
    run = threading.Semaphore(0)
    meanwhile: list[bool] = []

    @registry.handler("v1/work")
    def work() -> None:
        run.release()

    def wait_for_one_more_than(settled: int) -> None:
        meanwhile.extend(run.acquire(timeout=PATIENCE) for _ in range(settled + 1))

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/work") for _ in range(40))
    Commits(store, monkeypatch, wait_for_one_more_than)
    assert engine.drain().done == 40
    assert meanwhile
    assert all(meanwhile)


def test_where_that_commit_fails_they_run_once_all_the_same(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: Counter[UUID] = Counter()

    @registry.handler("v1/work")
    def work(step: Step) -> None:
        runs[step.id] += 1

    def fail(_: int) -> None:
        raise StoreUnavailable("The line was cut before the commit.")

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/work") for _ in range(40))
    Commits(store, monkeypatch, fail)
    assert engine.drain().done == 40
    assert len(runs) == 40
    assert set(runs.values()) == {1}


def test_a_stop_gives_back_those_that_have_not_begun(store: Store, registry: Registry) -> None:
    """Promise 10."""
    begun, go = threading.Event(), threading.Event()

    @registry.handler("v1/work")
    def work() -> None:
        begun.set()
        assert go.wait(PATIENCE)

    engine = Engine(store, registry, workers=8).start()
    ids = engine.add_many(new_step("v1/work") for _ in range(40))
    assert begun.wait(PATIENCE)
    stopping = threading.Thread(target=engine.stop)
    stopping.start()
    go.set()
    stopping.join(PATIENCE)
    steps = [engine.get(one) for one in ids]
    assert all(step.claimed_by is None for step in steps if step.status == StepStatus.READY)
    assert {step.status for step in steps} <= {StepStatus.READY, StepStatus.DONE}
