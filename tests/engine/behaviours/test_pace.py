"""A step that reruns without end starves nobody, and an idle engine hardly asks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, StepClient, StepStatus, done, new_step, rerun
from stepwell.engine import worker
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store

pytestmark = pytest.mark.slow

RERUNS = 1_000
ENGINES = 3
BEATS = 4


def test_one_step_reruns_a_thousand_times_while_all_workers_find_work(
    store: Store, registry: Registry
) -> None:
    """The others meet in fours: a worker that was kept from finding work would be missing.
    They need not wait for its end, for it goes on until they have met."""
    meeting, met = threading.Barrier(4, timeout=90), threading.Semaphore(0)
    at: list[int] = []

    @registry.handler("v1/again")
    def again(state: int) -> Outcome:
        at.append(state)
        return rerun(state + 1) if state < RERUNS or not met.acquire(blocking=False) else done()

    @registry.handler("v1/meet")
    def meet() -> None:
        meeting.wait()
        met.release()

    with Engine(store, registry, workers=5) as engine:
        step_id = engine.add(new_step("v1/again", 1))
        wait_for(lambda: at)
        engine.add_many(new_step("v1/meet") for _ in range(40))
        wait_for(lambda: engine.get(step_id).status is StepStatus.DONE)
        wait_for(lambda: engine.count(name="v1/meet").done == 40)
        assert engine.get(step_id).execution_count == len(at) >= RERUNS
    assert at == list(range(1, len(at) + 1))


def test_an_idle_engine_does_not_poll_more_than_its_limit(
    kind: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beat a second, and no look for work that nothing has asked for.

    That is one query a second and engine. In memory every commit wakes, that of a beat as
    well, and so does that of another process on SQLite (decision 17). MariaDB tells nobody of
    anything, so an engine looks there once a second (decision 21).
    """
    asked = _Asked(store)
    monkeypatch.setattr(store, "transaction", asked.transaction)
    with ExitStack() as stack:
        engines = [stack.enter_context(Engine(store, idle())) for _ in range(ENGINES)]
        wait_for(lambda: all(map(rests, engines)))  # what happens at a start is over
        asked.verbs.clear()
        begun = time.monotonic()
        wait_for(lambda: asked.verbs["beat"] >= BEATS * ENGINES)
        seconds = time.monotonic() - begun
        counted = Counter(asked.verbs)
    assert set(counted) <= {"beat", "claim", "hold"}
    assert counted["beat"] <= ENGINES * (seconds + 1)
    looks = {"memory": counted["beat"] + 1, "mysql": seconds + 1}
    look = max(counted["claim"], counted["hold"])  # which is the end of a look by locks
    assert look <= ENGINES * looks.get(kind, 1)


def idle() -> Registry:
    """A handler that has nothing to do."""
    registry = Registry()
    registry.handler("v1/x")(lambda: None)
    return registry


def rests(engine: Engine) -> bool:
    """Whether it has looked, has found nothing, and will be told of what comes."""
    assert engine._worker
    wake: Any = engine._worker._wake
    told = not isinstance(engine.store, PostgresStore) or engine.store._bell.listening
    waits = engine._worker.idle.is_set() and engine._worker._at_rest
    return told and waits and not wake._event.is_set()


def test_an_idle_engine_still_hears_of_work_at_once(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks rarely because it is told, and not because it sleeps: it would for ever."""
    monkeypatch.setattr(worker, "POLL", 1e6)
    ran = threading.Event()
    registry.handler("v1/x")(ran.set)
    with Engine(store, registry) as engine:
        assert engine._worker is not None
        wait_for(engine._worker.idle.is_set)
        StepClient(store).add(new_step("v1/x"))
        assert ran.wait(90)


class _Asked:
    """Counts the verbs that engines say to a store."""

    def __init__(self, store: Store) -> None:
        self.verbs = Counter[str]()
        self._transaction = store.transaction

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A transaction of the store that is listened to."""
        with self._transaction() as tx:
            yield _Heard(tx, self.verbs)


class _Heard:
    def __init__(self, tx: Any, verbs: Counter[str]) -> None:
        self._tx, self._verbs = tx, verbs

    def __getattr__(self, name: str) -> Any:
        self._verbs[name] += 1
        return getattr(self._tx, name)
