"""How an engine lives, stops, is buried and comes back, on real stores."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.engine.signals import wait_for

from stepwell import (
    Engine,
    Outcome,
    Registry,
    RetryPolicy,
    Step,
    StepClient,
    StepStatus,
    done,
    new_step,
)
from stepwell.engine import worker
from stepwell.errors import Denied, EngineRunning, SetupError, StepwellError, StoreUnavailable
from stepwell.stores.memory import MemoryStore
from stepwell.stores.memory_verbs import MemoryTransaction
from stepwell.stores.protocol import Store


def test_a_stop_lets_running_steps_end_and_gives_back_the_rest(
    store: Store, registry: Registry
) -> None:
    """Promise 10."""
    running, go = threading.Event(), threading.Event()

    @registry.handler("v1/slow")
    def slow() -> None:
        running.set()
        assert go.wait(90)

    engine = Engine(store, registry, workers=1).start()
    engine.add_many(new_step("v1/slow") for _ in range(5))
    assert running.wait(90)
    assert engine._worker
    over = engine._worker._over
    threading.Thread(target=lambda: go.set() if over.wait(90) else None).start()
    engine.stop(timeout=90)
    client = StepClient(store)
    assert client.count(status=StepStatus.DONE).done >= 1
    ready = client.search(status=StepStatus.READY)
    assert ready
    assert all(step.claimed_by is None and step.lost_count == 0 for step in ready)


def test_a_stop_that_runs_out_of_time_gives_the_step_back_unmarked(
    store: Store, registry: Registry
) -> None:
    running, go = threading.Event(), threading.Event()

    @registry.handler("v1/stuck")
    def stuck() -> None:
        running.set()
        assert go.wait(90)

    engine = Engine(store, registry, workers=1).start()
    step_id = engine.add(new_step("v1/stuck"))
    assert running.wait(90)
    engine.stop(timeout=0.05)
    go.set()
    step = StepClient(store).get(step_id)
    assert (step.status, step.claimed_by, step.lost_count) == (StepStatus.READY, None, 0)


def test_a_slow_step_does_not_hold_back_those_claimed_with_it(
    store: Store, registry: Registry
) -> None:
    """What waits unstarted for a second goes back, and another engine runs it."""
    both, go = threading.Semaphore(0), threading.Event()

    @registry.handler("v1/slow")
    def slow() -> None:
        both.release()
        assert go.wait(90)

    registry.handler("v1/fast")(lambda: None)
    client = StepClient(store)
    with Engine(store, registry, workers=1, name="first") as first:
        assert first._worker
        first._worker._runner.average = 0.001  # as after a rush of fast steps
        client.add_many([new_step("v1/slow"), *(new_step("v1/fast") for _ in range(20))])
        first._changed()
        assert both.acquire(timeout=90)
        with Engine(store, registry, workers=1, name="second"):
            wait_for(lambda: client.count(name="v1/fast").done == 20)
        go.set()
    assert client.count(name="v1/slow").done == 1


def test_a_buried_engine_starts_again_under_a_new_id(store: Store, registry: Registry) -> None:
    """R11."""
    registry.handler("v1/x")(lambda: None)
    with Engine(store, registry) as engine:
        before = engine.id
        assert before is not None
        with store.transaction() as tx:
            beats = tx.beat(before, []).beats
            assert tx.bury(before, beats[before]) is not None
        step_id = engine.add(new_step("v1/x"))
        wait_for(lambda: engine.get(step_id).status is StepStatus.DONE)
        assert engine.id != before


def test_a_zombie_cannot_commit(store: Store, registry: Registry) -> None:
    """Promise 3: its claims were taken while it was running."""
    running, go, runs = threading.Event(), threading.Event(), []

    @registry.handler("v1/x")
    def x() -> Outcome:
        runs.append(1)
        if len(runs) == 1:
            running.set()
            assert go.wait(90)
            return done("zombie")
        return done("second")

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/x"))
        assert running.wait(90)
        assert engine.id is not None
        with store.transaction() as tx:
            tx.bury(engine.id, tx.beat(engine.id, []).beats[engine.id])
        wait_for(lambda: engine.get(step_id).status is StepStatus.DONE)
        go.set()
        wait_for(lambda: engine.tally.refused == 1)
        assert engine.get(step_id).result == '"second"'


def test_a_blocked_event_loop_does_not_cost_the_engine_its_life(
    store: Store, registry: Registry
) -> None:
    """R14: the heartbeat does not run on the user's loop."""

    @registry.handler("v1/rude")
    async def rude() -> None:
        time.sleep(3)  # noqa: ASYNC251 - the point of the test

    with Engine(store, registry) as engine:
        before = engine.id
        step_id = engine.add(new_step("v1/rude"))
        wait_for(lambda: engine.get(step_id).status is StepStatus.DONE)
        assert engine.id == before
        assert engine.get(step_id).execution_count == 1


def test_a_loop_that_was_closed_costs_no_workers(store: Store, registry: Registry) -> None:
    """The user's own: what was to be awaited on it fails and says why, all other steps run."""

    @registry.handler("v1/awaited", retry=RetryPolicy(attempts=1))
    async def awaited() -> None:
        pass

    @registry.handler("v1/called")
    def called() -> None:
        pass

    loop = asyncio.new_event_loop()
    with Engine(store, registry, workers=2, loop=loop) as engine:
        loop.close()
        failed = engine.add_many(new_step("v1/awaited") for _ in range(4))
        wait_for(lambda: engine.count(status=StepStatus.FAILED).failed == 4)
        engine.add_many(new_step("v1/called") for _ in range(4))
        wait_for(lambda: engine.count(status=StepStatus.DONE).done == 4)
        assert "Event loop is closed" in (engine.get(failed[0]).description or "")


def test_a_running_step_gets_its_started_mark_with_the_next_beat(
    store: Store, registry: Registry
) -> None:
    """R15."""
    go = threading.Event()
    registry.handler("v1/x")(lambda: done(go.wait(90)))
    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/x"))
        wait_for(lambda: engine.get(step_id).started)
        go.set()


def test_suspects_run_alone_and_the_others_run_too(store: Store, registry: Registry) -> None:
    """R15: from lost_count 2 on a step is claimed alone."""
    lock, now, beside = threading.Lock(), [0], []

    @registry.handler("v1/x")
    def x(step: Step) -> None:
        with lock:
            now[0] += 1
        time.sleep(0.02)
        with lock:
            if step.lost_count >= 2:
                beside.append(now[0])
            now[0] -= 1

    client = StepClient(store)
    (suspect,) = client.add_many([new_step("v1/x")])
    _lose(store, times=2)
    client.add_many(new_step("v1/x") for _ in range(10))
    assert client.get(suspect).lost_count == 2
    assert Engine(store, registry, workers=4).drain().done == 11
    assert beside == [1]


def _lose(store: Store, times: int) -> None:
    """Let an engine claim everything and die, as often as asked."""
    from stepwell.ids import new_id
    from stepwell.stores.protocol import ClaimRequest, EngineInfo

    for _ in range(times):
        engine = EngineInfo(id=new_id(), name="x", version="0", handles=(), queues=("default",))
        with store.transaction() as tx:
            tx.join(engine)
        request = ClaimRequest(engine_id=engine.id, request_id=new_id(), names=("v1/x",), limit=100)
        with store.transaction() as tx:
            tx.claim(request)
        with store.transaction() as tx:
            tx.bury(engine.id, tx.beat(engine.id, []).beats[engine.id])


def test_an_engine_may_start_again_after_it_stopped(store: Store, registry: Registry) -> None:
    registry.handler("v1/x")(lambda: None)
    engine = Engine(store, registry)
    for _ in range(2):
        engine.add(new_step("v1/x"))
        assert engine.drain().done == 1


def test_an_engine_that_runs_is_not_started_twice(store: Store, registry: Registry) -> None:
    with Engine(store, registry) as engine, pytest.raises(EngineRunning):
        engine.start()


class Refusing(MemoryStore):
    """From some moment on it raises in the place of transactions."""

    error: StepwellError | None = None

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        if self.error is not None:
            raise self.error
        with super().transaction() as tx:
            yield tx


def _threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("stepwell-")}


def test_an_engine_that_cannot_join_leaves_nothing_behind(registry: Registry) -> None:
    """It is started again and again until the store is back."""
    store, before = Refusing(), _threads()
    store.migrate()
    engine = Engine(store, registry)
    store.error = StoreUnavailable("away")
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            engine.start()
    assert _threads() == before
    assert not store._wakes
    store.error = None
    with engine:
        assert engine.id


@pytest.mark.parametrize("error", [SetupError("no"), Denied("no")])
def test_a_stop_ends_all_threads_also_where_the_store_refuses_it(
    registry: Registry, error: StepwellError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SETTLING", 0.1)
    store, before = Refusing(), _threads()
    store.migrate()
    running, go = threading.Event(), threading.Event()

    @registry.handler("v1/slow")
    def slow() -> None:
        running.set()
        assert go.wait(90)

    engine = Engine(store, registry, workers=1).start()
    assert engine._worker
    engine._worker._runner.average = 0.001  # so that some are claimed ahead, and to be given back
    engine.add_many(new_step("v1/slow") for _ in range(5))
    assert running.wait(90)
    wait_for(lambda: engine._held.waiting, 9)
    store.error = error
    go.set()
    engine.stop()
    wait_for(lambda: _threads() == before, 9)
    assert engine.id is None
