"""What the engine promises, on real stores."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
    fail,
    new_step,
    rerun,
)
from stepwell.codec import MAX_BYTES
from stepwell.errors import StepEnded, StepNotEnded, StepNotFound, UniqueKeyTaken, ValueTooLarge
from stepwell.stores.protocol import Store

SOON = RetryPolicy(delays=(0.01,))


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
    together = threading.Barrier(5, timeout=90)

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
        assert activated.wait(90)
        return rerun(after=3600)

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/wait"))
        assert running.wait(90)
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
        assert cancelled.wait(90)
        return done("too late", next=new_step("v1/never"))

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/long"))
        assert running.wait(90)
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


def test_whoever_learns_of_the_burial_last_does_not_join_once_more(
    store: Store, registry: Registry
) -> None:
    """R11: the second id would be left behind with a row, and with claims that nobody runs."""
    with Engine(store, registry) as engine:
        buried = engine.id
        assert buried is not None
        engine._rejoin(buried)
        reborn = engine.id
        engine._rejoin(buried)
        assert engine.id == reborn != buried
