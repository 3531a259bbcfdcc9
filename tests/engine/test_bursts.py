"""Bursts: claims that are written and claims that are row locks, with the same promises."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from tests.engine.lanes import Open, bury, has_done, lane, lives_on, open_lane, row, store
from tests.engine.signals import wait_for

from stepwell import (
    Engine,
    Outcome,
    Registry,
    Step,
    StepClient,
    StepStatus,
    done,
    fail,
    new_step,
    rerun,
)
from stepwell.clock import now
from stepwell.engine import worker
from stepwell.events import Event, subscribe
from stepwell.ids import new_id
from stepwell.stores.protocol import Store

__all__ = ["lane", "open_lane", "store"]
TOMORROW = now() + timedelta(days=1)
PATIENCE = 90.0


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not told that there is work finds none by looking when it is time to poll."""
    monkeypatch.setattr(worker, "POLL", 1e6)


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the engines say."""
    heard: list[Event] = []
    end = subscribe(heard.append)
    yield heard
    end()


# -- nothing is lost, nothing runs twice ------------------------------------------------


def test_a_stop_settles_whatever_has_ended(store: Store, registry: Registry) -> None:
    """Promise 10: also the outcomes that wait for the next claim's transaction."""
    ran: list[int] = []

    @registry.handler("v1/quick")
    def quick(state: int) -> None:
        ran.append(state)

    client = StepClient(store)
    client.add_many(new_step("v1/quick", number) for number in range(2000))
    with Engine(store, registry):
        wait_for(lambda: len(ran) > 300)
    assert len(set(ran)) == len(ran) == client.count(status=StepStatus.DONE).done
    ready = client.search(status=StepStatus.READY, limit=2000)
    assert len(ready) + len(ran) == 2000
    assert all(step.claimed_by is None for step in ready)


def test_a_step_reruns_thousands_of_times_while_all_workers_find_work(
    open_lane: Open, registry: Registry
) -> None:
    """The row is one and the same, and each of its runs counts, in whichever engine."""
    ran: Counter[str] = Counter()
    both = [open_lane(), open_lane()]

    @registry.handler("v1/again")
    def again(state: int) -> Outcome:
        ran["again"] += 1
        return rerun(state=state + 1) if state < 1500 else done(state)

    @registry.handler("v1/other")
    def other(step: Step) -> None:
        ran[threading.current_thread().name] += 1

    client = StepClient(both[0])
    step_id = client.add(new_step("v1/again", 1))
    client.add_many(new_step("v1/other") for _ in range(1500))
    with Engine(both[0], registry) as one, Engine(both[1], registry) as two:
        wait_for(lambda: client.count(status=StepStatus.DONE).done == 1501)
        wait_for(lambda: one.tally.executed + two.tally.executed == 3000)
        tallies = [one.tally, two.tally]
    step = client.get(step_id)
    assert (step.execution_count, step.result, ran["again"]) == (1500, "1500", 1500)
    assert sum(tally.done for tally in tallies) == 1501
    assert sum(tally.rerun for tally in tallies) == 1499
    assert sum(tally.refused for tally in tallies) == 0


def test_spawned_steps_that_are_taken_over_run_once(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R21, also while the engine looks for claims that it knows nothing of (R13)."""
    monkeypatch.setattr(worker, "RECONCILE", 0.0)
    ran: Counter[int] = Counter()

    @registry.handler("v1/link")
    def link(state: int) -> Outcome:
        ran[state] += 1
        return done(next=[new_step("v1/link", state + 1)] if state % 1000 < 120 else [])

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/link", 1000 * chain) for chain in range(5))
    assert engine.drain().done == 5 * 121
    assert set(ran.values()) == {1}
    assert len(ran) == 5 * 121
    assert StepClient(store).count(status=StepStatus.READY).ready == 0


def test_a_spawned_step_that_was_there_before_is_not_run_for_its_parent(
    store: Store, registry: Registry
) -> None:
    """R1: the same id is the same step."""
    ran: Counter[str] = Counter()
    child = new_step("v1/child", id=new_id())

    @registry.handler("v1/parent")
    def parent() -> Outcome:
        ran["parent"] += 1
        return done(next=[child, new_step("v1/fresh")])

    @registry.handler("v1/child", "v1/fresh")
    def spawned(step: Step) -> None:
        ran[step.name] += 1

    engine = Engine(store, registry, workers=2)
    for _ in range(3):
        engine.add_many(new_step("v1/parent") for _ in range(3))
        engine.drain()
    assert ran == {"parent": 9, "v1/child": 1, "v1/fresh": 9}


def test_when_data_is_refused_the_step_fails_alone(store: Store, registry: Registry) -> None:
    """R16: the others of its burst are settled, and each is counted once."""
    client = StepClient(store)
    client.add(new_step("v1/later", unique_key="taken", schedule_time=TOMORROW))

    @registry.handler("v1/spawns")
    def spawns(state: int) -> Outcome:
        return done(next=[new_step("v1/later", unique_key="taken")] if state == 7 else [])

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/spawns", number) for number in range(20))
    tally = engine.drain()
    assert (tally.done, tally.failed, tally.executed) == (19, 1, 20)
    (failed,) = client.search(status=StepStatus.FAILED)
    assert failed.state == "7"
    assert "taken" in (failed.description or "")


def test_a_spawned_step_that_the_store_cannot_keep_fails_its_parent_alone(
    store: Store, registry: Registry, lane: str
) -> None:
    """R16: a driver refuses a lone surrogate before anything is sent, and so after a part of the
    burst is in the database already. Memory keeps it."""

    @registry.handler("v1/spawns")
    def spawns(state: int) -> Outcome:
        key = "\ud800" if state == 7 else "k"
        return done(next=new_step("v1/nobody", search_key=key))

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/spawns", number) for number in range(20))
    tally = engine.drain()
    assert tally.failed == (lane != "memory")
    assert tally.done == 20 - tally.failed == engine.count(name="v1/nobody").ready
    for failed in engine.search(status=StepStatus.FAILED):
        assert failed.state == "7"
        assert "surrogate" in (failed.description or "")


def test_a_declared_death_loses_nothing_and_the_engine_goes_on(
    store: Store, registry: Registry, events: list[Event]
) -> None:
    """R11: under a new id; what ran meanwhile may have to run again, and is settled once."""
    client = StepClient(store)
    may_end = threading.Semaphore(0)
    registry.handler("v1/work")(lambda: may_end.acquire(timeout=90) and None)
    client.add_many(new_step("v1/work") for _ in range(400))
    with Engine(store, registry) as engine:
        for _ in range(3):
            before, seen = engine.id, engine.tally.done
            may_end.release(60)
            wait_for(partial(has_done, engine, seen + 1))
            bury(store, engine)
            wait_for(partial(lives_on, engine, before))
        may_end.release(1000)
        wait_for(lambda: client.count(status=StepStatus.DONE).done == 400)
    assert [event.name for event in events].count("engine.declared_dead") == 3
    rows = client.search(status=StepStatus.DONE, limit=400)
    assert {step.execution_count for step in rows} == {1}


# -- an engine knows when it is idle ----------------------------------------------------


def test_a_drain_waits_for_what_a_running_step_will_spawn(store: Store, registry: Registry) -> None:
    """Though a step that was taken over has ended meanwhile, and nothing else is due."""
    idle_meanwhile = threading.Event()

    @registry.handler("v1/slow")
    def slow() -> Outcome:
        idle_meanwhile.wait(0.3)
        return done(next=[new_step("v1/last")])

    @registry.handler("v1/quick")
    def quick(state: int) -> Outcome:
        return done(next=[new_step("v1/quick", state - 1)] if state else [])

    registry.handler("v1/last")(lambda: None)
    engine = Engine(store, registry)
    engine.add_many([new_step("v1/slow"), new_step("v1/quick", 30)])
    assert engine.drain().done == 33


def test_a_drain_sees_what_its_last_settlement_spawned(store: Store, registry: Registry) -> None:
    """Also where it is claimed in another way than its parent was."""

    @registry.handler("v1/parent")
    def parent(state: int) -> Outcome:
        key = None if state % 2 else str(state)
        return done(next=[new_step("v1/parent", state - 1, unique_key=key)] if state else [])

    engine = Engine(store, registry)
    engine.add(new_step("v1/parent", 2 * max(worker.TRUSTED, 50) + 5))
    assert engine.drain().done == 2 * max(worker.TRUSTED, 50) + 6


@pytest.mark.usefixtures("told")
def test_a_drain_ends_as_soon_as_the_last_step_has(store: Store, registry: Registry) -> None:
    """Whoever settles it, and whatever was claimed meanwhile."""

    @registry.handler("v1/work")
    def work(state: float) -> None:
        time.sleep(state)

    for seconds in (0.0, 0.002, 0.01, 0.021, 0.03, 0.05):
        engine = Engine(store, registry)
        engine.add_many(new_step("v1/work", seconds * part) for part in (1, 1.01, 0.5))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(engine.drain).result(PATIENCE).done == 3


# -- slow neighbours --------------------------------------------------------------------


@pytest.mark.usefixtures("told")
def test_what_one_engine_cannot_begin_another_one_does_at_once(
    open_lane: Open, registry: Registry
) -> None:
    """Rows that were locked and let go, or claimed and given back."""
    together = threading.Barrier(4)

    @registry.handler("v1/meet")
    def meet() -> None:
        together.wait(PATIENCE)

    client = StepClient(open_lane())
    with Engine(open_lane(), registry, workers=1), Engine(open_lane(), registry, workers=3):
        for round_no in range(1, 4):
            client.add_many(new_step("v1/meet") for _ in range(4))
            wait_for(partial(lambda n: client.count().done == n, 4 * round_no))
    assert not together.broken


def test_a_long_step_is_marked_as_claimed_while_it_runs(store: Store, registry: Registry) -> None:
    """R14: so that nobody else begins it, however long it takes."""

    @registry.handler("v1/long")
    def long(step: Step) -> None:
        wait_for(lambda: row(store, step).claimed_by is not None)
        assert row(store, step).claim == step.claim

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/long") for _ in range(3))
    assert engine.drain().done == 3


def test_a_handler_may_change_its_own_row_and_its_neighbours(
    store: Store, registry: Registry
) -> None:
    """It waits until the burst lets go of them, which is a matter of milliseconds."""
    client = StepClient(store)
    took: list[float] = []

    @registry.handler("v1/changes")
    def changes(step: Step, activation: str | None = None) -> Outcome:
        if activation is not None:
            return done(activation)
        begun = time.monotonic()
        client.activate(step.id, "myself")
        client.activate(neighbour, "you")
        took.append(time.monotonic() - begun)
        return rerun(after=3600)

    @registry.handler("v1/neighbour")
    def other(activation: str | None = None) -> Outcome:
        return rerun(after=3600) if activation is None else done(activation)

    @registry.handler("v1/ends-itself")
    def ends_itself(step: Step) -> Outcome:
        client.cancel(step.id, "enough")
        return fail("nobody will read this")

    neighbour = client.add(new_step("v1/neighbour"))
    changing = client.add(new_step("v1/changes"))
    ending = client.add(new_step("v1/ends-itself"))
    tally = Engine(store, registry).drain()
    assert [client.get(one).result for one in (changing, neighbour)] == ['"myself"', '"you"']
    assert client.get(ending).description == "enough"
    assert tally.refused == 1
    assert max(took) < PATIENCE / 2  # or it waits for what waits for itself


def test_coroutines_that_come_at_once_all_run(store: Store, registry: Registry) -> None:
    """None waits on a call of the loop that nobody has made."""

    @registry.handler("v1/thread")
    def thread(state: int) -> None:
        time.sleep(0.0001)

    @registry.handler("v1/coroutine")
    async def coroutine(state: int) -> None:
        pass

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        engine = Engine(store, registry, workers=8)
        names = ("v1/thread", "v1/coroutine", "v1/coroutine")
        engine.add_many(new_step(names[number % 3], number) for number in range(600))
        engine.start()
        wait_for(lambda: engine.tally.done == 600)
        engine.stop()
    finally:
        sys.setswitchinterval(interval)


def test_a_drain_waits_for_a_spawned_step_that_takes_longer_than_its_burst(
    store: Store, registry: Registry
) -> None:
    """It is taken over and runs when the claim that found nothing more has come back."""
    begun, go = threading.Event(), threading.Event()

    @registry.handler("v1/first")
    def first() -> Outcome:
        return done(next=new_step("v1/second"))

    @registry.handler("v1/second")
    def second() -> Outcome:
        begun.set()
        assert go.wait(90)
        return done(next=new_step("v1/third"))

    registry.handler("v1/third")(lambda: None)
    engine = Engine(store, registry)
    engine.add(new_step("v1/first"))
    with ThreadPoolExecutor(1) as pool:
        drained = pool.submit(engine.drain)
        assert begun.wait(90)
        assert engine._worker
        assert not engine._worker.idle.wait(0.5)
        go.set()
        assert drained.result(PATIENCE).done == 3
