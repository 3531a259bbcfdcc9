"""What the engine promises, on real stores."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepwell import (
    Engine,
    Outcome,
    Registry,
    RetryPolicy,
    Step,
    StepClient,
    StepStatus,
    done,
    fail,
    new_step,
    rerun,
)
from stepwell.codec import MAX_BYTES
from stepwell.errors import StepEnded, StepNotEnded, StepNotFound, UniqueKeyTaken, ValueTooLarge
from stepwell.stores.protocol import Store

SOON = RetryPolicy(delays=(0.01,))


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Block until the condition holds; fails loudly instead of hanging."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.005)


def test_a_step_and_what_it_spawns_run_to_the_end(store: Store, registry: Registry) -> None:
    @registry.handler("v1/count")
    def count(state: int) -> Outcome:
        return done(state, next=new_step("v1/count", state - 1) if state else None)

    engine = Engine(store, registry)
    engine.add(new_step("v1/count", 4))
    assert engine.drain().done == 5
    results = [step.result for step in StepClient(store).search(status=StepStatus.DONE)]
    assert sorted(str(result) for result in results) == ["0", "1", "2", "3", "4"]


def test_coroutines_run_at_once_up_to_the_number_of_workers(
    store: Store, registry: Registry
) -> None:
    together = threading.Barrier(5, timeout=10)

    @registry.handler("v1/meet")
    async def meet() -> None:
        await asyncio.to_thread(together.wait)

    engine = Engine(store, registry, workers=5)
    engine.add_many(new_step("v1/meet") for _ in range(5))
    assert engine.drain().done == 5


def test_never_more_handlers_run_than_there_are_workers(store: Store, registry: Registry) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    @registry.handler("v1/busy")
    def busy() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1

    engine = Engine(store, registry, workers=3)
    engine.add_many(new_step("v1/busy") for _ in range(40))
    assert engine.drain().done == 40
    assert most[0] <= 3


def test_an_exception_is_retried_until_it_succeeds(store: Store, registry: Registry) -> None:
    @registry.handler("v1/flaky", retry=SOON)
    def flaky(step: Step) -> Outcome:
        if step.failure_count < 2:
            raise ValueError("not yet")
        return done(step.execution_count)

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/flaky"))
    tally = engine.drain(patience=5)
    assert (tally.done, tally.retried) == (1, 2)
    step = StepClient(store).get(step_id)
    assert (step.execution_count, step.result) == (3, "2")


def test_while_it_waits_for_a_retry_the_error_is_in_its_description(
    store: Store, registry: Registry
) -> None:
    @registry.handler("v1/broken")
    def broken() -> None:
        raise ValueError("no such table")

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/broken", {"kept": True}))
    engine.drain()
    step = StepClient(store).get(step_id)
    assert step.status is StepStatus.READY
    assert step.state == '{"kept":true}'
    assert str(step.description).startswith("ValueError: no such table")


def test_sys_exit_in_a_handler_fails_an_attempt_and_not_the_engine(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/exit", retry=RetryPolicy(attempts=1))(lambda: sys.exit(3))
    registry.handler("v1/fine")(lambda: None)
    engine = Engine(store, registry)
    engine.add_many([new_step("v1/exit"), new_step("v1/fine")])
    tally = engine.drain()
    assert (tally.done, tally.failed) == (1, 1)


def test_a_rerun_keeps_its_row_and_changes_its_state(store: Store, registry: Registry) -> None:
    @registry.handler("v1/page")
    def page(state: int) -> Outcome:
        return rerun(state + 1, after=0.01) if state < 3 else done()

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/page", 0))
    tally = engine.drain(patience=5)
    assert (tally.rerun, tally.done) == (3, 1)
    assert StepClient(store).get(step_id).state == "3"


def test_a_step_is_not_run_before_its_time(store: Store, registry: Registry) -> None:
    registry.handler("v1/later")(lambda: None)
    engine = Engine(store, registry)
    due = datetime.now(UTC) + timedelta(seconds=0.4)
    step_id = engine.add(new_step("v1/later", schedule_time=due))
    assert engine.drain(patience=5).done == 1
    started = StepClient(store).get(step_id).execution_started_at
    assert started is not None
    assert started >= due


def test_drain_ends_when_nothing_is_due(store: Store, registry: Registry) -> None:
    registry.handler("v1/later")(lambda: None)
    engine = Engine(store, registry)
    engine.add(new_step("v1/later", schedule_time=datetime.now(UTC) + timedelta(hours=1)))
    assert engine.drain().executed == 0


def test_drain_waits_for_every_retry_within_its_patience(store: Store, registry: Registry) -> None:
    """Also when a retry begins in the very moment in which drain looks."""
    policy = RetryPolicy(delays=(0.05,))

    @registry.handler("v1/flaky", retry=policy)
    def flaky(step: Step) -> None:
        if step.execution_count < 15:
            raise ConnectionError("not yet")

    engine = Engine(store, registry)
    engine.add(new_step("v1/flaky"))
    assert engine.drain(patience=5.0).done == 1


def test_unknown_names_wait_for_an_engine_that_handles_them(store: Store) -> None:
    """Promise 6."""
    old, new = Registry(), Registry()
    old.handler("v1/a")(lambda: None)
    new.handler("v2/a")(lambda: None)
    client = StepClient(store)
    client.add_many([new_step("v2/a"), new_step("v1/a")])
    assert Engine(store, old).drain().done == 1
    assert client.count(status=StepStatus.READY).ready == 1
    assert Engine(store, new).drain().done == 1


def test_an_engine_runs_its_own_queues_only(store: Store, registry: Registry) -> None:
    registry.handler("v1/x")(lambda: None)
    client = StepClient(store)
    client.add_many([new_step("v1/x", queue="mail"), new_step("v1/x")])
    assert Engine(store, registry, queues=("mail",)).drain().done == 1
    assert client.search(status=StepStatus.READY)[0].queue == "default"


def test_an_engine_of_one_flow_runs_that_flow_only_in_any_queue(
    store: Store, registry: Registry
) -> None:
    """R36."""
    registry.handler("v1/x")(lambda: None)
    client = StepClient(store)
    mine, other = client.add_many([new_step("v1/x", queue="runs"), new_step("v1/x", queue="runs")])
    flow = client.get(mine).flow_id
    assert Engine(store, registry, flow_id=flow).drain().done == 1
    assert client.get(other).status is StepStatus.READY


def test_a_singleton_may_spawn_its_successor(store: Store, registry: Registry) -> None:
    """R5: deletes come before inserts."""
    later = datetime.now(UTC) + timedelta(hours=1)

    @registry.handler("v1/nightly")
    def nightly() -> Outcome:
        return done(next=new_step("v1/nightly", singleton=True, schedule_time=later))

    engine = Engine(store, registry)
    engine.add(new_step("v1/nightly", singleton=True))
    with pytest.raises(UniqueKeyTaken):
        engine.add(new_step("v1/nightly", singleton=True))
    assert engine.drain().done == 1
    assert StepClient(store).count(name="v1/nightly").ready == 1


def test_a_conflict_fails_its_step_alone_and_the_others_of_the_batch_commit(
    store: Store, registry: Registry
) -> None:
    """R16."""

    @registry.handler("v1/spawn")
    def spawn(state: int) -> Outcome:
        return done(next=new_step("v9/held", singleton=True) if state == 3 else None)

    client = StepClient(store)
    client.add(new_step("v9/held", singleton=True))
    engine = Engine(store, registry)
    ids = engine.add_many(new_step("v1/spawn", n) for n in range(8))
    tally = engine.drain()
    assert (tally.done, tally.failed) == (7, 1)
    culprit = client.get(ids[3])
    assert culprit.status is StepStatus.FAILED
    assert "unique key" in str(culprit.description)


def test_a_result_over_the_limit_fails_the_step_and_says_how_to_fix(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/big")(lambda: done("x" * MAX_BYTES))
    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/big"))
    assert engine.drain().failed == 1
    assert "keep its key" in str(StepClient(store).get(step_id).description)
    with pytest.raises(ValueTooLarge):
        StepClient(store).add(new_step("v1/big", "x" * MAX_BYTES))


@dataclass
class Order:
    customer: str
    lines: int


def test_state_and_activation_are_decoded_to_their_annotated_types(
    store: Store, registry: Registry
) -> None:
    seen: list[Any] = []

    @registry.handler("v1/order")
    def order(state: Order, activation: dict[str, int] | None) -> None:
        seen.append((state, activation))

    engine = Engine(store, registry)
    step_id = engine.add(
        new_step("v1/order", Order("ann", 2), schedule_time=datetime.now(UTC) + timedelta(hours=1))
    )
    engine.activate(step_id, {"go": 1})
    assert engine.drain().done == 1
    assert seen == [(Order("ann", 2), {"go": 1})]


def test_an_activation_during_the_execution_is_not_lost(store: Store, registry: Registry) -> None:
    """R8: a rerun that had not seen the newest activation is due at once, with its arguments."""
    running, activated, seen = threading.Event(), threading.Event(), []

    @registry.handler("v1/wait")
    def wait(activation: str | None) -> Outcome:
        seen.append(activation)
        if activation is not None:
            return done(activation)
        running.set()
        assert activated.wait(10)
        return rerun(after=3600)

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/wait"))
        assert running.wait(10)
        engine.activate(step_id, "go")
        activated.set()
        wait_for(lambda: engine.get(step_id).status is StepStatus.DONE)
    assert seen == [None, "go"]


def test_ending_a_running_step_by_hand_refuses_its_outcome(
    store: Store, registry: Registry
) -> None:
    """R8, R12."""
    running, cancelled = threading.Event(), threading.Event()

    @registry.handler("v1/long")
    def long() -> Outcome:
        running.set()
        assert cancelled.wait(10)
        return done("too late", next=new_step("v1/never"))

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/long"))
        assert running.wait(10)
        engine.cancel(step_id, "not needed")
        cancelled.set()
        wait_for(lambda: engine.tally.refused == 1)
        step = engine.get(step_id)
    assert (step.ended_as, step.description, step.result) == ("cancelled", "not needed", None)
    assert StepClient(store).count(name="v1/never").ready == 0


def test_what_has_ended_or_does_not_exist_cannot_be_changed(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/x")(lambda: None)
    client = StepClient(store)
    step_id = client.add(new_step("v1/x"))
    with pytest.raises(StepNotEnded):
        client.reexecute([step_id])
    Engine(store, registry).drain()
    with pytest.raises(StepEnded):
        client.activate(step_id)
    with pytest.raises(StepNotFound):
        client.cancel(new_step("v1/x").id, "typo")


def test_reexecution_copies_the_step_and_begins_its_counts_anew(
    store: Store, registry: Registry
) -> None:
    """R7."""
    healed = threading.Event()

    @registry.handler("v1/x")
    def x() -> Outcome:
        return done() if healed.is_set() else fail("not healed")

    client = StepClient(store)
    step_id = client.add(new_step("v1/x", {"a": 1}, correlation_id="c", search_key="s"))
    assert Engine(store, registry).drain().failed == 1
    healed.set()
    (copy_id,) = client.reexecute([step_id])
    source, copy = client.get(step_id), client.get(copy_id)
    assert copy.copy_of == step_id
    assert (copy.state, copy.flow_id, copy.correlation_id, copy.search_key) == (
        source.state,
        source.flow_id,
        "c",
        "s",
    )
    assert (copy.execution_count, copy.failure_count) == (0, 0)
    assert Engine(store, registry).drain().done == 1
    assert client.get(step_id).status is StepStatus.FAILED


def test_adding_the_same_id_again_is_the_same_step(store: Store, registry: Registry) -> None:
    """R1."""
    registry.handler("v1/x")(lambda: None)
    client, once = StepClient(store), new_step("v1/x")
    client.add(once)
    client.add(once)
    assert Engine(store, registry).drain().done == 1
    client.add(once)
    assert client.count().ready == 0


def test_a_stop_lets_running_steps_end_and_gives_back_the_rest(
    store: Store, registry: Registry
) -> None:
    """Promise 10."""
    running, go = threading.Event(), threading.Event()

    @registry.handler("v1/slow")
    def slow() -> None:
        running.set()
        assert go.wait(10)

    engine = Engine(store, registry, workers=1).start()
    engine.add_many(new_step("v1/slow") for _ in range(5))
    assert running.wait(10)
    threading.Timer(0.05, go.set).start()
    engine.stop(timeout=10)
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
        go.wait(30)

    engine = Engine(store, registry, workers=1).start()
    step_id = engine.add(new_step("v1/stuck"))
    assert running.wait(10)
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
        assert go.wait(20)

    registry.handler("v1/fast")(lambda: None)
    client = StepClient(store)
    with Engine(store, registry, workers=1, name="first") as first:
        first._worker._average = 0.001  # type: ignore[union-attr] - as after a rush of fast steps
        client.add_many([new_step("v1/slow"), *(new_step("v1/fast") for _ in range(20))])
        first._changed()
        assert both.acquire(timeout=10)
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
            assert go.wait(10)
            return done("zombie")
        return done("second")

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/x"))
        assert running.wait(10)
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


def test_a_running_step_gets_its_started_mark_with_the_next_beat(
    store: Store, registry: Registry
) -> None:
    """R15."""
    go = threading.Event()
    registry.handler("v1/x")(lambda: done(go.wait(20)))
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
    from stepwell.step import new_id
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
