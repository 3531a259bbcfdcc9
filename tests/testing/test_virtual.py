"""The virtual engine does what the real one does, without its waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from stepwell import (
    Engine,
    FailStep,
    Outcome,
    Priority,
    Registry,
    RetryPolicy,
    Step,
    StepClient,
    done,
    fail,
    new_step,
    rerun,
    skip,
)
from stepwell.engine import worker
from stepwell.engine.tally import Tally
from stepwell.errors import InvalidInput, UniqueKeyTaken
from stepwell.step import EndedAs, StepStatus
from stepwell.stores.memory import MemoryStore
from stepwell.testing.clock import BEGINNING
from stepwell.testing.life import Killed, Moment
from stepwell.testing.virtual import Runaway, VirtualEngine

HOUR = timedelta(hours=1)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def engine(registry: Registry) -> VirtualEngine:
    return VirtualEngine(registry)


# -- as the real engine --------------------------------------------------------


def every_way_to_end() -> Registry:
    """Handlers that end, or go on, in every way there is."""
    registry = Registry()

    def attempts(step: Step) -> Outcome:
        if step.execution_count == 0:
            raise ConnectionError("not yet")
        return done({"after": step.failure_count})

    async def waits(state: int) -> Outcome:
        await asyncio.sleep(0)
        return rerun(state + 1) if state < 3 else done(state)

    def raises(error: BaseException) -> None:
        raise error

    ways: dict[str, Callable[..., Any]] = {
        "returns-nothing": lambda: None,
        "done": lambda: done({"a": 1}, next=[new_step("v1/returns-nothing"), new_step("v1/skip")]),
        "skip": lambda: skip("nothing to do"),
        "fail": lambda: fail("no", next=new_step("v1/returns-nothing")),
        "fail-step": lambda: raises(FailStep("never", [new_step("v1/skip")])),
        "exits": lambda: raises(SystemExit(3)),
        "returns-rubbish": lambda: 17,
        "unfit-result": lambda: done(object()),
        "waits": waits,
        "attempts": attempts,
    }
    retry = RetryPolicy(attempts=2, delays=(0.0,))
    for name, handler in ways.items():
        registry.add(handler, f"v1/{name}", retry=retry)
    return registry


def rows(client: StepClient) -> list[tuple[object, ...]]:
    found = [
        (
            *(s.name, s.status, s.ended_as, (s.description or "").partition(" at 0x")[0]),
            *(s.execution_count, s.failure_count, s.claim_no, s.state, s.result, s.lost_count),
        )
        for s in client.search(limit=1000)
    ]
    return sorted(found, key=repr)


def test_every_outcome_leaves_the_rows_that_the_real_engine_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "GIVE_BACK", 1e6)  # which is another claim, where a thread is late
    registry = every_way_to_end()
    real, virtual = Engine(MemoryStore(), registry), VirtualEngine(registry)
    for client in (real, virtual):
        client.add_many(new_step(name, 1) for name in registry.names)
    expected, found = real.drain(patience=1.0), virtual.drain()
    assert rows(virtual) == rows(real)
    assert found == expected
    assert found.executed == virtual.tally.executed > len(registry.names)


def test_a_retry_waits_for_its_delay_on_the_virtual_clock(
    registry: Registry, engine: VirtualEngine
) -> None:
    """min(n^3 s, 2 h) (R2), and the errors are there to be looked at."""
    at: list[float] = []

    @registry.handler("v1/flaky")
    def flaky() -> None:
        at.append(engine.clock.monotonic())
        raise ConnectionError("down")

    begun = time.monotonic()
    step = engine.add(new_step("v1/flaky"))
    assert engine.drain() == Tally(retried=1)
    assert engine.advance(seconds=99) == Tally(retried=3)
    assert at == [0, 1, 9, 36]
    engine.advance(days=2)
    assert max(later - before for before, later in pairwise(at)) == 7200
    assert {str(error) for error in engine.errors} == {"down"}
    assert "ConnectionError: down" in (engine.get(step).description or "")
    assert time.monotonic() - begun < 90  # and not two days


def test_a_step_that_reruns_each_hour_runs_72_times_in_3_days(
    registry: Registry, engine: VirtualEngine
) -> None:
    at: list[datetime] = []

    @registry.handler("v1/hourly")
    def hourly() -> Outcome:
        at.append(engine.clock.now())
        return rerun(after=HOUR)

    engine.add(new_step("v1/hourly", singleton=True, schedule_time=BEGINNING + HOUR))
    assert engine.advance(days=3) == Tally(rerun=72)
    assert at == [BEGINNING + n * HOUR for n in range(1, 73)]
    assert engine.clock.now() == BEGINNING + timedelta(days=3)


def test_steps_run_in_the_order_in_which_they_fall_due(
    registry: Registry, engine: VirtualEngine
) -> None:
    ran: list[tuple[Any, float]] = []
    registry.add(lambda state: ran.append((state, engine.clock.monotonic())), "v1/x")
    for hours in (3, 1, 2):
        engine.add(new_step("v1/x", hours, schedule_time=BEGINNING + hours * HOUR))
    engine.advance(hours=2.5)
    assert ran == [(1, 3600), (2, 7200)]
    engine.advance(timedelta(minutes=30))
    assert ran[2:] == [(3, 10800)]


def test_steps_of_one_instant_run_by_priority_and_then_as_they_were_made(
    registry: Registry, engine: VirtualEngine
) -> None:
    ran: list[object] = []

    @registry.handler("v1/x")
    def note(state: object) -> None:
        ran.append(state)

    engine.add_many(new_step("v1/x", n) for n in range(100))
    engine.add(new_step("v1/x", "urgent", priority=Priority.URGENT))
    engine.drain()
    assert ran == ["urgent", *range(100)]


def test_a_step_in_the_future_can_be_activated_with_arguments(
    registry: Registry, engine: VirtualEngine
) -> None:

    @registry.handler("v1/await-payment")
    def paid(activation: object) -> Outcome:
        return done(activation)

    step = engine.add(new_step("v1/await-payment", schedule_time=BEGINNING + 24 * HOUR))
    assert engine.drain() == Tally()
    engine.activate(step, {"paid": 10})
    assert engine.drain() == Tally(done=1)
    assert engine.get(step).result == '{"paid":10}'


def test_a_second_singleton_is_refused(registry: Registry, engine: VirtualEngine) -> None:
    registry.add(lambda: None, "v1/one")
    engine.add(new_step("v1/one", singleton=True))
    with pytest.raises(UniqueKeyTaken):
        engine.add(new_step("v1/one", singleton=True))
    engine.drain()
    engine.add(new_step("v1/one", singleton=True))


def test_names_without_a_handler_and_other_queues_stay_ready(
    registry: Registry, engine: VirtualEngine
) -> None:
    registry.add(lambda: None, "v1/known")
    engine.add_many(new_step(f"v1/unknown-{n}") for n in range(100))
    engine.add_many([new_step("v1/known"), new_step("v1/known", queue="other")])
    assert engine.drain() == Tally(done=1)
    assert engine.count().ready == 101


def test_a_step_that_is_cancelled_while_it_runs_is_refused(
    registry: Registry, engine: VirtualEngine
) -> None:
    registry.add(lambda step: engine.cancel(step.id, "changed my mind"), "v1/x")
    step = engine.add(new_step("v1/x"))
    assert engine.drain() == Tally(refused=1)
    assert engine.get(step).ended_as is EndedAs.CANCELLED


def test_an_outcome_that_the_store_refuses_fails_the_step(
    registry: Registry, engine: VirtualEngine
) -> None:
    """R16."""
    registry.add(lambda: done(next=new_step("v1/one", singleton=True)), "v1/spawns")
    engine.add(new_step("v1/one", singleton=True))
    step = engine.add(new_step("v1/spawns"))
    assert engine.drain() == Tally(failed=1)
    assert "unique key" in (engine.get(step).description or "")


def test_a_step_that_kills_its_engine_five_times_fails(registry: Registry) -> None:
    """R15; from the second time on it is claimed alone."""
    deaths: list[int] = []

    def witness(moment: Moment, step: Step) -> None:
        if moment is Moment.STARTING and step.name == "v1/poison":
            deaths.append(step.lost_count)
            raise Killed

    engine = VirtualEngine(registry, witness=witness)
    registry.add(lambda: None, "v1/poison")
    registry.add(lambda: None, "v1/good")
    poison, good = engine.add_many([new_step("v1/poison"), new_step("v1/good")])
    assert engine.drain() == Tally(done=1)
    assert deaths == [0, 1, 2, 3, 4]
    assert engine.get(poison).description == "its engine died 5 times while running it"
    assert engine.get(good).status is StepStatus.DONE


def test_a_handler_may_take_its_time(registry: Registry, engine: VirtualEngine) -> None:

    @registry.handler("v1/slow")
    def slow() -> None:
        engine.clock.advance(90)

    step = engine.add(new_step("v1/slow"))
    engine.advance(seconds=10)
    assert engine.get(step).execution_duration == 90
    assert engine.clock.monotonic() == 90


# -- synchronous, in this thread -----------------------------------------------


def test_handlers_run_in_the_calling_thread_and_coroutines_on_one_loop(
    registry: Registry, engine: VirtualEngine
) -> None:
    threads: set[int] = set()
    loops: set[int] = set()
    before = set(threading.enumerate())

    @registry.handler("v1/def")
    def plain() -> None:
        threads.add(threading.get_ident())

    @registry.handler("v1/async")
    async def coroutine() -> None:
        threads.add(threading.get_ident())
        loops.add(id(asyncio.get_running_loop()))

    engine.add_many(new_step(name) for name in ("v1/def", "v1/async", "v1/async"))
    assert engine.drain().done == 3
    assert threads == {threading.get_ident()}
    assert len(loops) == 1
    assert before.issuperset(threading.enumerate())


def test_a_coroutine_is_told_to_drain_in_a_thread(
    registry: Registry, engine: VirtualEngine
) -> None:
    async def handler() -> None:
        await asyncio.sleep(0)

    async def test() -> Tally:
        with pytest.raises(InvalidInput, match="to_thread"):
            engine.drain()
        return await asyncio.to_thread(engine.drain)

    registry.add(handler, "v1/async")
    engine.add(new_step("v1/async"))
    assert asyncio.run(test()) == Tally(done=1)


def test_a_coroutine_may_drain_where_all_handlers_are_plain(
    registry: Registry, engine: VirtualEngine
) -> None:
    async def test() -> Tally:
        return engine.drain()

    registry.add(lambda: None, "v1/def")
    engine.add(new_step("v1/def"))
    assert asyncio.run(test()) == Tally(done=1)


@pytest.mark.parametrize(("days", "delay"), [(0, 0.0), (1, 1e-6)])
def test_a_runaway_ends_with_an_error_that_names_it(
    registry: Registry, days: int, delay: float
) -> None:
    engine = VirtualEngine(registry, most_executions=500)
    registry.add(lambda: rerun(after=delay), "v1/spins")
    engine.add(new_step("v1/spins"))
    with pytest.raises(Runaway, match="'v1/spins' ran 500 times"):
        engine.advance(days=days)
    assert engine.tally.executed == 500


def test_what_stops_a_test_comes_out_of_drain(registry: Registry, engine: VirtualEngine) -> None:
    """An engine outlives whatever a handler raises; a test must not."""
    registry.add(lambda: pytest.fail("seen"), "v1/x")
    engine.add(new_step("v1/x"))
    with pytest.raises(BaseException, match="seen") as raised:
        engine.drain()
    assert not isinstance(raised.value, Exception)


def test_time_does_not_go_back(engine: VirtualEngine) -> None:
    with pytest.raises(InvalidInput, match="does not go back"):
        engine.advance(days=-1)


def test_a_join_is_given_its_members_here_too() -> None:
    registry = Registry()
    registry.handler("v1/part")(lambda state: done(state + 0))
    registry.handler("v1/sum")(lambda joined: done(sum(one.result for one in joined)))
    engine = VirtualEngine(registry)
    *_, join_id = engine.add_many([new_step("v1/part", n) for n in (2, 3)], then=new_step("v1/sum"))
    engine.drain()
    assert engine.get(join_id).result == "5"


# -- limits and pauses ---------------------------------------------------------


def test_a_rate_is_kept_on_the_virtual_clock(engine: VirtualEngine, registry: Registry) -> None:
    times: list[datetime] = []
    registry.handler("v1/send")(lambda: times.append(engine.clock.now()))
    engine.rate("smtp", 1, per=60)
    engine.add_many(new_step("v1/send", rate_key="smtp") for _ in range(3))
    engine.drain()
    assert len(times) == 1
    engine.advance(minutes=5)
    assert [later - sooner for sooner, later in pairwise(times)] == [timedelta(minutes=1)] * 2


def test_limits_and_pauses_hold_on_the_virtual_engine(
    engine: VirtualEngine, registry: Registry
) -> None:
    registry.handler("v1/send")(lambda: None)
    engine.limit("smtp", 0)
    step_id = engine.add(new_step("v1/send", limit_key="smtp"))
    engine.pause("default", "stop")
    plain = engine.add(new_step("v1/send"))
    engine.drain()
    assert engine.get(plain).status is engine.get(step_id).status is StepStatus.READY
    engine.resume("default")
    engine.drop_limit("smtp")
    engine.drain()
    assert engine.get(plain).status is engine.get(step_id).status is StepStatus.DONE
