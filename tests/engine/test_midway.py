"""Calls that come in the midst of another of the same thread, as those of a signal's handler or a
finalizer do, and calls of several threads at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.engine.lanes import LOCKED, lane, open_lane, store
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, StepClient, new_step
from stepwell.engine import worker as workers
from stepwell.engine.looping import Looping
from stepwell.engine.together import Together
from stepwell.errors import EngineRunning, StoreUnavailable
from stepwell.events import subscribe
from stepwell.step import Addition, StepStatus
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store

__all__ = ["lane", "open_lane", "store"]


def midway(store: Store, monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> None:
    """Have this called in the thread of the next `add`, before or after its commit."""
    add: Any = store.add

    def interrupted(additions: Sequence[Addition]) -> Any:
        monkeypatch.setattr(store, "add", add)
        call()
        return add(additions)

    monkeypatch.setattr(store, "add", interrupted)


def resting(engine: Engine) -> Engine:
    """The engine, when it has looked and nothing was due."""
    wait_for(lambda: engine._worker is not None and engine._worker._at_rest)
    return engine


def test_an_engine_may_be_stopped_in_the_midst_of_an_add(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a signal's handler; and the step is there for the next engine."""
    registry.handler("v1/short")(lambda: None)
    engine = resting(Engine(store, registry).start())
    midway(store, monkeypatch, engine.stop)
    step_id = engine.add(new_step("v1/short"))
    assert engine.id is None
    step = StepClient(store).get(step_id)
    assert (step.status, step.claimed_by, step.lost_count) == (StepStatus.READY, None, 0)
    assert Engine(store, registry).drain().done == 1


def test_what_was_added_when_the_engine_stops_in_the_midst_is_given_back(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.handler("v1/short")(lambda: None)
    engine = resting(Engine(store, registry).start())
    add: Any = store.add

    def interrupted(additions: Sequence[Addition]) -> Any:
        monkeypatch.setattr(store, "add", add)
        answer = add(additions)
        engine.stop()
        return answer

    monkeypatch.setattr(store, "add", interrupted)
    step_id = engine.add(new_step("v1/short"))
    step = StepClient(store).get(step_id)
    if step.status is StepStatus.READY:  # where nothing comes claimed, it may have run
        assert step.claimed_by is None
        assert Engine(store, registry).drain().done == 1


def test_a_step_may_be_added_in_the_midst_of_an_add(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for the thread that it came in."""
    registry.handler("v1/short")(lambda: None)
    with Engine(store, registry) as engine:
        resting(engine)
        midway(store, monkeypatch, lambda: engine.add(new_step("v1/short")))
        engine.add(new_step("v1/short"))
        wait_for(lambda: engine.tally.done == 2)


def test_a_step_may_be_added_in_the_thread_that_adds_for_tasks() -> None:
    """By a finalizer."""
    sizes: list[int] = []

    def commit(additions: list[Addition]) -> None:
        sizes.append(len(additions))
        if len(sizes) == 1:
            together.add([])

    together = Together(commit)
    asyncio.run(together.add_async([]))
    assert len(sizes) == 2


@pytest.mark.parametrize("where", ["_enters", "_take", "_add", "_handed_on", "_call", "_end"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_who_is_interrupted_anywhere_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, where: str, before: bool
) -> None:
    """By a signal whose handler raises, as that of Ctrl-C does."""
    together = Together(lambda additions: None)
    method, calls = getattr(together, where), list[int]()

    def interrupted(*given: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            return method(*given)
        if not before:
            method(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(together, where, interrupted)
    with pytest.raises(KeyboardInterrupt):
        together.add([])
    with ThreadPoolExecutor(1) as pool:
        pool.submit(together.add, []).result(90)
    asyncio.run(together.add_async([]))
    assert together._leader is None
    assert not together._waiting


def test_who_is_interrupted_while_it_leads_lets_those_go_on_that_it_leads() -> None:
    """They are told that it is not known what became of theirs."""
    entered, go, sizes = threading.Event(), threading.Event(), list[int]()

    def commit(additions: list[Addition]) -> None:
        sizes.append(len(additions))
        if len(sizes) == 1:
            entered.set()
            assert go.wait(90)
        elif len(sizes) == 2:
            raise KeyboardInterrupt

    together = Together(commit)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(together.add, [])
        assert entered.wait(90)
        others = [pool.submit(together.add, []) for _ in range(2)]
        wait_for(lambda: len(together._waiting) == 2)
        go.set()
        first.result(90)
        told = {type(one.exception(90)) for one in others}
    assert told == {KeyboardInterrupt, StoreUnavailable}
    assert together._leader is None


def test_an_engine_that_several_threads_stop_stops_once(store: Store, registry: Registry) -> None:
    """And it has stopped when any of these calls returns."""
    running, go = threading.Event(), threading.Event()

    @registry.handler("v1/slow")
    def slow() -> None:
        running.set()
        assert go.wait(90)

    told: list[str] = []
    engine = Engine(store, registry).start()
    engine.add(new_step("v1/slow"))
    assert running.wait(90)
    end = subscribe(lambda event: told.append(event.name))
    with ThreadPoolExecutor(4) as pool:
        stops = [pool.submit(engine.stop, 90) for _ in range(4)]
        wait_for(engine._over.is_set)
        go.set()
        for stop in stops:
            stop.result(90)
            assert engine.id is None
    end()
    assert told.count("engine.stopped") == 1


def test_a_stop_in_the_midst_of_a_stop_leaves_it_to_the_first(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second Ctrl-C."""
    engine = Engine(store, registry).start()
    leave = engine._leave

    def interrupted() -> None:
        engine.stop()
        leave()

    monkeypatch.setattr(engine, "_leave", interrupted)
    engine.stop()
    assert engine.id is None


def test_an_engine_that_several_threads_start_starts_once(store: Store, registry: Registry) -> None:
    """The others are told so."""
    engine, line = Engine(store, registry), threading.Barrier(4)

    def start() -> bool:
        line.wait(90)
        try:
            engine.start()
        except EngineRunning:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        started = [pool.submit(start) for _ in range(4)]
        assert sum(one.result(90) for one in started) == 1
    with store.transaction() as tx:
        assert engine.id is not None
        assert tx.beat(engine.id, []).beats.keys() == {engine.id}
    engine.stop()


@pytest.mark.parametrize("lane", [LOCKED], indirect=True)
def test_an_answer_that_is_lost_during_a_look_for_lost_ones_asks_for_another(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13: what was committed after that look would stay claimed for a minute."""
    monkeypatch.setattr(workers, "RECONCILE", 1e6)
    with Engine(store, registry) as engine:
        worker, strangers, looks = resting(engine)._worker, engine._held.strangers, list[int]()
        assert worker is not None

        def meanwhile(claims: Any) -> Any:
            looks.append(1)
            if len(looks) == 1:
                worker._look_anew(True)
            return strangers(claims)

        monkeypatch.setattr(engine._held, "strangers", meanwhile)
        worker._look_anew(True)
        wait_for(lambda: len(looks) == 2)


async def _leaves_a_task_that_exits() -> None:
    async def exits() -> None:
        raise SystemExit(3)

    task = asyncio.create_task(exits())
    await asyncio.wait([task])


async def _stops_the_loop() -> None:
    asyncio.get_running_loop().stop()


@pytest.mark.parametrize("bad", [_leaves_a_task_that_exits, _stops_the_loop])
def test_a_coroutine_that_ends_the_engines_loop_ends_none_of_the_others(
    bad: Callable[[], Any], registry: Registry
) -> None:
    store = MemoryStore()
    registry.add(bad, "v1/bad")

    @registry.handler("v1/good")
    async def good() -> None:
        await asyncio.sleep(0)

    with Engine(store, registry) as engine:
        engine.add(new_step("v1/bad"))
        wait_for(lambda: engine.tally.done == 1)
        engine.add(new_step("v1/good"))
        wait_for(lambda: engine.tally.done == 2)


def test_a_loop_that_a_handler_has_closed_keeps_no_stop_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing can be awaited there any more."""
    looping = Looping()
    monkeypatch.setattr(looping.loop, "run_forever", looping.loop.close)
    looping.loop.call_soon_threadsafe(looping.loop.stop)
    looping._thread.join(90)
    assert looping.loop.is_closed()
    looping.end()


def test_a_store_that_is_away_is_told_to_who_adds_in_the_midst() -> None:
    """As to anybody."""
    depth: list[int] = []

    def commit(additions: list[Addition]) -> None:
        depth.append(1)
        if len(depth) == 1:
            with pytest.raises(StoreUnavailable, match="away"):
                together.add([])
            return
        raise StoreUnavailable("away")

    together = Together(commit)
    together.add([])
    assert len(depth) == 2


def deny(monkeypatch: pytest.MonkeyPatch, name: str) -> Callable[[], None]:
    """Have the machine give no thread of such a name, until the answer is called."""
    start = threading.Thread.start

    def denied(self: threading.Thread) -> None:
        if self.name.startswith(name):
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", denied)
    return lambda: monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.parametrize("thread", ["heartbeat", "commit", "feed", "loop"])
def test_an_engine_that_gets_no_thread_leaves_nothing_behind(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, thread: str
) -> None:
    """Whoever starts it again when there are some again, finds it as before."""
    store = MemoryStore()
    registry.handler("v1/short")(lambda: None)
    engine = Engine(store, registry)
    allow = deny(monkeypatch, f"stepwell-{thread}")
    with pytest.raises(RuntimeError, match="new thread"):
        engine.start()
    allow()
    assert engine.id is None
    assert not store.inspect().engines
    engine.add(new_step("v1/short"))
    assert engine.drain().done == 1


def test_what_an_idle_engine_gets_no_thread_for_was_added_all_the_same(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And runs when there is one."""
    registry.handler("v1/short")(lambda: None)
    with Engine(store, registry) as engine:
        resting(engine)
        allow = deny(monkeypatch, "stepwell-worker")
        engine.add(new_step("v1/short"))
        allow()
        wait_for(lambda: engine.tally.done == 1)
