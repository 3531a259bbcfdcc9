"""What becomes of a step by its outcome and its retry policy, over all of its executions."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from stepwell import (
    Engine,
    FailStep,
    Outcome,
    Registry,
    RetryPolicy,
    Step,
    done,
    fail,
    new_step,
    rerun,
)
from stepwell.stores.protocol import Store
from stepwell.testing.virtual import VirtualEngine

CUBES = [1, 8, 27, 64, 125]


class Tried(Exception):
    """What a handler raises each time."""


def _failing(registry: Registry, policy: RetryPolicy | None) -> list[datetime]:
    """A handler that notes when it is run, and raises."""
    tries: list[datetime] = []

    def x(step: Step) -> None:
        tries.append(step.schedule_time)
        raise Tried

    if policy is None:
        registry.add(x, "v1/x")
    else:
        registry.add(x, "v1/x", retry=policy)
    return tries


def _seconds(tries: list[datetime]) -> list[float]:
    return [(b - a).total_seconds() for a, b in pairwise(tries)]


def test_by_default_the_delay_is_the_cube_of_the_failures_up_to_two_hours(
    registry: Registry,
) -> None:
    """And there is no last attempt (R2)."""
    tries = _failing(registry, None)
    with VirtualEngine(registry) as engine:
        step_id = engine.add(new_step("v1/x"))
        engine.advance(days=3)
        step = engine.get(step_id)
    assert _seconds(tries)[:5] == CUBES
    assert set(_seconds(tries)[19:]) == {7200}
    assert step.status == "ready"
    assert step.failure_count == len(tries) > 40


def test_attempts_and_delays_are_those_of_the_policy(registry: Registry) -> None:
    tries = _failing(registry, RetryPolicy(attempts=4, delays=(5, 60)))
    with VirtualEngine(registry) as engine:
        step_id = engine.add(new_step("v1/x"))
        engine.advance(days=1)
        step = engine.get(step_id)
    assert _seconds(tries) == [5, 60, 60]
    assert (step.ended_as, step.failure_count, step.execution_count) == ("failed", 4, 4)


def test_jitter_spreads_the_retries_of_many(registry: Registry) -> None:
    _failing(registry, RetryPolicy(delays=(100,), jitter=0.5))
    with VirtualEngine(registry) as engine:
        engine.add_many(new_step("v1/x") for _ in range(50))
        engine.drain()
        due = [(s.schedule_time - engine.clock.now()).total_seconds() for s in engine.search()]
    assert 100 <= min(due) < max(due) <= 150
    assert len(set(due)) > 40


@pytest.mark.parametrize(("kind", "status"), [(Tried, "ready"), (KeyError, "failed")])
def test_only_the_exceptions_of_the_policy_are_retried(
    registry: Registry, kind: type[Exception], status: str
) -> None:
    _failing(registry, RetryPolicy(on=(kind,)))
    with VirtualEngine(registry) as engine:
        step_id = engine.add(new_step("v1/x"))
        engine.drain()
        assert engine.get(step_id).status == status


def test_an_outcome_ends_the_row_of_failures(registry: Registry) -> None:
    """After a rerun the delays begin at one second again (R2)."""
    calls: list[datetime] = []

    @registry.handler("v1/x")
    def x(step: Step) -> Outcome:
        calls.append(step.schedule_time)
        if len(calls) == 3:
            return rerun()
        raise Tried

    with VirtualEngine(registry) as engine:
        engine.add(new_step("v1/x"))
        engine.advance(seconds=60)
    assert _seconds(calls)[:5] == [1, 8, 0, 1, 8]


@pytest.mark.parametrize("raises", [True, False])
def test_a_step_that_fails_may_bring_new_steps(
    store: Store, registry: Registry, raises: bool
) -> None:
    @registry.handler("v1/charge")
    def charge(step: Step) -> Outcome:
        follower = new_step("v1/tell", {"order": 7})
        if raises:
            raise FailStep("the card has expired", next=[follower])
        return fail("the card has expired", next=follower)

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/charge", correlation_id="order-7"))
    engine.drain()
    step, (spawned,) = engine.get(step_id), engine.search(name="v1/tell")
    assert (step.ended_as, step.description) == ("failed", "the card has expired")
    assert step.execution_count == 1
    assert (spawned.status, spawned.state) == ("ready", '{"order":7}')
    assert (spawned.flow_id, spawned.correlation_id) == (step.flow_id, "order-7")


def test_a_step_that_fails_needs_to_bring_none(store: Store, registry: Registry) -> None:
    @registry.handler("v1/charge", retry=RetryPolicy(delays=(0,)))
    def charge() -> None:
        raise FailStep("the card has expired")

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/charge"))
    engine.drain()
    step = engine.get(step_id)
    assert (step.ended_as, step.execution_count) == ("failed", 1)  # whatever the policy says
    assert engine.count().ready == 0


def test_a_result_and_a_description_stay_with_the_step(store: Store, registry: Registry) -> None:
    @registry.handler("v1/x")
    def x() -> Outcome:
        return done({"lines": 3}, description="three lines", next=new_step("v1/y"))

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/x"))
    engine.drain()
    step = engine.get(step_id)
    assert (step.result, step.description) == ('{"lines":3}', "three lines")
    assert engine.count(name="v1/y").ready == 1


def test_on_a_virtual_clock_a_timeout_is_judged_by_that_clock(registry: Registry) -> None:
    @registry.handler("v1/slow", timeout=60, retry=RetryPolicy(attempts=1))
    def slow(state: int) -> Outcome:
        engine.clock.advance(state)
        return done()

    with VirtualEngine(registry) as engine:
        quick, late = engine.add(new_step("v1/slow", 59)), engine.add(new_step("v1/slow", 61))
        engine.drain()
        assert engine.get(quick).ended_as == "done"
        assert "longer than 60 s" in str(engine.get(late).description)
