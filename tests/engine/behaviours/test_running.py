"""What becomes of a step that runs, or does not."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.engine.signals import wait_for

from stepwell import (
    Engine,
    FailStep,
    Outcome,
    Registry,
    RetryPolicy,
    Step,
    StepClient,
    StepStatus,
    done,
    new_step,
    rerun,
)
from stepwell.stores.protocol import Store

TOMORROW = timedelta(days=1)


def test_a_step_with_initial_state_sees_it(store: Store, registry: Registry) -> None:
    seen: list[Any] = []

    @registry.handler("v1/see")
    def see(state: Any) -> None:
        seen.append(state)

    engine = Engine(store, registry)
    engine.add(new_step("v1/see", {"order": 7, "lines": ["tea", "coffee"]}))
    assert engine.drain().done == 1
    assert seen == [{"order": 7, "lines": ["tea", "coffee"]}]


def test_failing_by_exception_marks_the_step_failed_with_the_description(
    store: Store, registry: Registry
) -> None:
    @registry.handler("v1/charge")
    def charge() -> None:
        raise FailStep("the card has expired")

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/charge"))
    assert engine.drain().failed == 1
    step = engine.get(step_id)
    assert (step.status, step.description) == (StepStatus.FAILED, "the card has expired")
    assert engine.count().ready == 0


def test_failing_by_exception_with_new_steps_adds_them(store: Store, registry: Registry) -> None:
    told: list[str] = []

    @registry.handler("v1/tell")
    def tell(state: str) -> None:
        told.append(state)

    @registry.handler("v1/charge")
    def charge(state: str) -> None:
        raise FailStep("the card has expired", next=[new_step("v1/tell", state)])

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/charge", "ada"))
    tally = engine.drain()
    assert (tally.failed, tally.done, told) == (1, 1, ["ada"])
    assert engine.get(step_id).description == "the card has expired"


def test_an_ordinary_exception_reruns_the_step_with_its_state_unchanged(
    store: Store, registry: Registry
) -> None:
    seen: list[list[int]] = []

    @registry.handler("v1/flaky", retry=RetryPolicy(delays=(0.01,)))
    def flaky(state: list[int], step: Step) -> None:
        seen.append(list(state))
        state.append(4)  # what a handler does to its copy is not kept
        if step.failure_count == 0:
            raise ConnectionError("away")

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/flaky", [1, 2, 3]))
    tally = engine.drain(patience=5)
    assert (tally.retried, tally.done) == (1, 1)
    assert seen == [[1, 2, 3], [1, 2, 3]]
    assert engine.get(step_id).state == "[1,2,3]"


def test_the_first_execution_has_the_count_1(store: Store, registry: Registry) -> None:
    registry.handler("v1/x")(lambda: None)
    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/x"))
    assert engine.get(step_id).execution_count == 0
    engine.drain()
    assert engine.get(step_id).execution_count == 1


def test_a_rerun_keeps_the_row_and_counts(store: Store, registry: Registry) -> None:
    seen: list[tuple[Any, int]] = []

    @registry.handler("v1/page")
    def page(step: Step, state: int) -> Outcome:
        seen.append((step.id, step.execution_count))
        return rerun(state + 1) if state < 4 else done()

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/page", 1))
    assert engine.drain().executed == 4
    assert seen == [(step_id, 0), (step_id, 1), (step_id, 2), (step_id, 3)]  # ended before
    step = engine.get(step_id)
    assert (step.execution_count, step.failure_count, step.state) == (4, 0, "4")
    assert engine.count().done == 1


def test_a_new_step_inherits_flow_and_correlation(store: Store, registry: Registry) -> None:
    registry.handler("v1/first")(lambda: done(next=new_step("v1/second")))
    registry.handler("v1/second")(lambda: done(next=new_step("v1/third")))
    registry.handler("v1/third")(lambda: None)
    engine = Engine(store, registry)
    first = engine.get(engine.add(new_step("v1/first", correlation_id="order-7")))
    assert engine.drain().done == 3
    flow = engine.search(flow_id=first.flow_id, oldest_first=True)
    assert [step.name for step in flow] == ["v1/first", "v1/second", "v1/third"]
    assert {step.correlation_id for step in flow} == {"order-7"}
    assert [step.created_by_step_id for step in flow] == [None, flow[0].id, flow[1].id]


def test_a_new_step_may_change_the_correlation_for_itself_and_those_after_it(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/first")(lambda: done(next=new_step("v1/second", correlation_id="mine")))
    registry.handler("v1/second")(lambda: done(next=new_step("v1/third")))
    registry.handler("v1/third")(lambda: None)
    engine = Engine(store, registry)
    first = engine.get(engine.add(new_step("v1/first", correlation_id="theirs")))
    assert engine.drain().done == 3
    flow = engine.search(flow_id=first.flow_id, oldest_first=True)
    assert [step.correlation_id for step in flow] == ["theirs", "mine", "mine"]


def test_a_step_in_the_future_does_not_run(store: Store, registry: Registry) -> None:
    registry.handler("v1/later")(lambda: None)
    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/later", schedule_time=datetime.now(UTC) + TOMORROW))
    assert engine.drain().executed == 0
    assert engine.get(step_id).status is StepStatus.READY
    assert "It is due at" in engine.explain(step_id)


def test_a_step_in_the_future_can_be_activated_to_run_now_with_arguments(
    store: Store, registry: Registry
) -> None:
    ran = threading.Event()
    seen: list[Any] = []

    @registry.handler("v1/later")
    def later(state: str, activation: dict[str, int]) -> None:
        seen.append((state, activation))
        ran.set()

    with Engine(store, registry) as engine:
        tomorrow = datetime.now(UTC) + TOMORROW
        step_id = engine.add(new_step("v1/later", "kept", schedule_time=tomorrow))
        StepClient(store).activate(step_id, {"paid": 30})
        assert ran.wait(90)
        wait_for(lambda: engine.get(step_id).status is StepStatus.DONE)
    assert seen == [("kept", {"paid": 30})]


def test_a_step_without_an_implementation_stays_ready_with_a_reason(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/known")(lambda: None)
    engine = Engine(store, registry)
    unknown, known = engine.add_many([new_step("v1/unknown"), new_step("v1/known")])
    assert engine.drain().done == 1
    step = engine.get(unknown)
    assert (step.status, step.execution_count) == (StepStatus.READY, 0)
    assert "handles the name 'v1/unknown'" in engine.explain(unknown)
    assert engine.get(known).status is StepStatus.DONE


def test_two_parallel_steps_join_in_a_third_that_waits_for_both(
    store: Store, registry: Registry
) -> None:
    together = threading.Barrier(2, timeout=90)
    ended: list[str] = []

    @registry.handler("v1/half")
    def half(state: int) -> Outcome:
        together.wait()  # both run at once, or this breaks
        ended.append("half")
        return done(state)

    @registry.handler("v1/whole")
    def whole(joined: list[Any]) -> Outcome:
        ended.append("whole")
        return done(sum(member.result for member in joined))

    halves = [new_step("v1/half", 20), new_step("v1/half", 22)]
    registry.handler("v1/split")(lambda: done(next=halves, then=new_step("v1/whole")))
    engine = Engine(store, registry)
    engine.add(new_step("v1/split"))
    assert engine.drain().done == 4
    assert ended == ["half", "half", "whole"]
    assert engine.search(name="v1/whole")[0].result == "42"
