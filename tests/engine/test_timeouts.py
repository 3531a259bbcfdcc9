"""A handler that has a timeout: its step goes on in time, whatever the handler does."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, RetryPolicy, Step, done, new_step
from stepwell.clock import SYSTEM, now
from stepwell.engine.deadlines import Deadlines
from stepwell.engine.execution import Execution
from stepwell.engine.held import Holding
from stepwell.engine.runner import Runner
from stepwell.errors import HandlerInvalid
from stepwell.events import Event, subscribe
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store

ONCE = RetryPolicy(attempts=1)


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture(autouse=True)
def listening(heard: list[Event]) -> object:
    end = subscribe(heard.append)
    yield
    end()


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A handler sets it as soon as it hangs; no time is over before, however short it is."""
    hangs, time_over = threading.Event(), Runner._time_over

    def when_it_hangs(runner: Runner, holding: Holding, execution: Execution) -> None:
        assert hangs.wait(90)
        time_over(runner, holding, execution)

    monkeypatch.setattr(Runner, "_time_over", when_it_hangs)
    return hangs


def _names(heard: list[Event]) -> list[str]:
    return [event.name for event in heard]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_handler_whose_time_is_over_before_it_is_called_is_a_failed_attempt_too(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A busy machine, or a loop that something blocks, may keep it waiting for that long."""
    engine, begin = Engine(MemoryStore(), registry), Execution._begin

    def when_its_time_is_over(execution: Execution, connection: object) -> None:
        wait_for(lambda: engine.tally.failed == 1)
        begin(execution, connection)

    def plain() -> None:
        pass

    async def awaited() -> None:
        pass

    monkeypatch.setattr(Execution, "_begin", when_its_time_is_over)
    registry.add(plain if kind == "def" else awaited, "v1/late", timeout=0.05, retry=ONCE)
    before = now()
    with engine:
        engine.add(new_step("v1/late"))
        wait_for(lambda: engine.tally.executed == 1)
        (failed,) = engine.search(status="failed")
    assert failed.execution_started_at is not None
    assert before <= failed.execution_started_at <= now()
    assert failed.execution_duration is not None
    assert failed.execution_duration >= 0.05


def test_a_thread_whose_time_is_over_is_a_failed_attempt_at_once(
    store: Store, registry: Registry, heard: list[Event], hangs: threading.Event
) -> None:
    """Its thread cannot be killed, and keeps its slot; what it returns counts for nothing."""
    go = threading.Event()

    @registry.handler("v1/stuck", timeout=0.05, retry=ONCE)
    def stuck() -> Outcome:
        assert hang()
        return done("late")

    def hang() -> bool:
        hangs.set()
        return go.wait(90)

    registry.add(lambda: done("next"), "v1/next")
    with Engine(store, registry, workers=1) as engine:
        step_id = engine.add(new_step("v1/stuck"))
        wait_for(lambda: engine.get(step_id).ended_as == "failed")
        next_id = engine.add(new_step("v1/next"))
        assert "step.returned_late" not in _names(heard)
        assert engine.get(next_id).status == "ready"  # the only slot is not free
        go.set()
        wait_for(lambda: engine.get(next_id).ended_as == "done")
        step = engine.get(step_id)
    assert step.result is None
    assert step.failure_count == step.execution_count == 1
    assert step.description is not None
    assert step.description.startswith("The handler took longer than 0.05 s. Its thread goes on")
    assert "in stuck: assert hang()" in step.description  # where it hangs
    assert "longer than 0.05 s" in engine.explain(step_id)
    told = [e.fields for e in heard if e.name == "step.executed" and e.fields["step"] == step_id]
    assert [(fields["ended_as"], fields["error"].split(":")[0]) for fields in told] == [
        ("failed", "StepTimedOut")
    ]
    assert _names(heard).count("step.timed_out") == _names(heard).count("step.returned_late") == 1


def test_a_thread_can_ask_whether_its_time_is_over(store: Store, registry: Registry) -> None:
    asked = threading.Event()

    @registry.handler("v1/asks", timeout=0.05, retry=ONCE)
    def asks(cancelled: threading.Event) -> None:
        assert cancelled.wait(90)
        asked.set()

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/asks"))
    engine.drain()
    assert asked.wait(90)
    assert engine.get(step_id).ended_as == "failed"


def test_a_coroutine_is_cancelled(store: Store, registry: Registry, hangs: threading.Event) -> None:
    cleaned_up = threading.Event()

    @registry.handler("v1/sleeps", timeout=0.05, retry=ONCE)
    async def sleeps() -> None:
        try:
            hangs.set()  # one that is cancelled before it begins has nothing to clean up
            await asyncio.sleep(60)
        finally:
            cleaned_up.set()

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/sleeps"))
    engine.drain()
    assert cleaned_up.wait(90)
    assert engine.get(step_id).description == "The handler took longer than 0.05 s."


def test_a_coroutine_that_will_not_be_cancelled_counts_for_nothing(
    store: Store, registry: Registry, heard: list[Event], hangs: threading.Event
) -> None:
    @registry.handler("v1/stubborn", timeout=0.02, retry=ONCE)
    async def stubborn() -> Outcome:
        try:
            hangs.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
        return done("late")

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/stubborn"))
        wait_for(lambda: "step.returned_late" in _names(heard))
        wait_for(lambda: engine.get(step_id).ended_as)  # it is settled in a thread of its own
        step = engine.get(step_id)
    assert (step.ended_as, step.result) == ("failed", None)


def test_a_timeout_is_an_exception_for_the_retry_policy(store: Store, registry: Registry) -> None:
    """It is a TimeoutError, and retried like one."""
    tries: list[Step] = []

    @registry.handler("v1/slow", timeout=0.05, retry=RetryPolicy(delays=(0,), on=(TimeoutError,)))
    def slow(step: Step, cancelled: threading.Event) -> Outcome | None:
        tries.append(step)
        return None if not step.failure_count and cancelled.wait(90) else done("in time")

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/slow"))
    engine.drain(patience=5)
    step = engine.get(step_id)
    assert (step.result, step.execution_count) == ('"in time"', len(tries))
    # Where a machine takes its time, so may the second try.
    assert [one.failure_count for one in tries] == list(range(max(len(tries), 2)))


def test_who_is_in_time_is_not_timed_out(
    store: Store, registry: Registry, heard: list[Event]
) -> None:
    @registry.handler("v1/quick", timeout=30)
    def quick(state: int) -> Outcome:
        return done(state)

    engine = Engine(store, registry)
    ids = engine.add_many(new_step("v1/quick", n) for n in range(50))
    assert engine.drain().done == len(ids)
    assert "step.timed_out" not in _names(heard)


def test_deadlines_that_were_met_are_not_kept(registry: Registry) -> None:
    """A long timeout on a short handler must not fill the memory."""
    registry.add(lambda: None, "v1/quick", timeout=3600)
    with Engine(MemoryStore(), registry) as engine:
        engine.add_many(new_step("v1/quick") for _ in range(2000))
        wait_for(lambda: engine.count(status="done").done == 2000)
        assert engine._worker is not None
        assert len(engine._worker._runner._deadlines._heap) < 1500


def test_without_timeouts_there_is_no_thread_for_them(registry: Registry) -> None:
    registry.add(lambda: None, "v1/quick")
    with Engine(MemoryStore(), registry) as engine:
        step_id = engine.add(new_step("v1/quick"))
        wait_for(lambda: engine.get(step_id).ended_as == "done")
        assert engine._worker is not None
        assert engine._worker._runner._deadlines._thread is None


def test_a_stop_does_not_wait_for_whose_time_is_over(store: Store, registry: Registry) -> None:
    go = threading.Event()
    registry.add(lambda: go.wait(90) and None, "v1/stuck", timeout=0.05, retry=ONCE)
    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/stuck"))
        wait_for(lambda: engine.get(step_id).ended_as == "failed")
    assert not go.is_set()
    go.set()


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_a_timeout_is_more_than_nothing(registry: Registry, seconds: float) -> None:
    with pytest.raises(HandlerInvalid, match="limits nothing"):
        registry.add(lambda: None, "v1/x", timeout=seconds)


def test_a_handler_with_a_transaction_has_a_limit_of_its_own(registry: Registry) -> None:
    with pytest.raises(HandlerInvalid, match="transaction_timeout"):
        registry.add(lambda connection: None, "v1/x", timeout=1)


def test_a_machine_that_gives_no_thread_costs_neither_the_step_nor_later_deadlines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deadlines, over = Deadlines(SYSTEM), threading.Event()

    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        late = deadlines.begin(0.0, over.set)
    met = deadlines.begin(90.0, lambda: None)
    assert over.wait(9)
    assert not deadlines.met(late)
    assert deadlines.met(met)
    deadlines.stop()
