"""A running step that is cancelled: its handler learns of it with the next beats."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, new_step
from stepwell.engine import looping
from stepwell.errors import HandlerInvalid
from stepwell.stores.protocol import Store

pytestmark = pytest.mark.slow


def test_a_thread_that_asks_is_told(store: Store, registry: Registry) -> None:
    running, told = threading.Event(), threading.Event()

    @registry.handler("v1/asks")
    def asks(cancelled: threading.Event) -> None:
        running.set()
        assert cancelled.wait(90)
        told.set()

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/asks"))
        assert running.wait(90)
        engine.cancel(step_id, "not needed")
        assert told.wait(90)
        wait_for(lambda: engine.tally.refused == 1)
        step = engine.get(step_id)
    assert (step.ended_as, step.description) == ("cancelled", "not needed")


def test_a_coroutine_is_cancelled_once(store: Store, registry: Registry) -> None:
    """What it does to clean up is not cancelled again by the beats that follow."""
    running, told = threading.Event(), threading.Event()

    @registry.handler("v1/sleeps")
    async def sleeps() -> None:
        running.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(2.5)  # longer than two beats
            told.set()
            raise

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/sleeps"))
        assert running.wait(90)
        engine.cancel(step_id, "not needed")
        assert told.wait(90)
    assert engine.get(step_id).ended_as == "cancelled"


def test_another_instant_takes_a_running_step_away_too(store: Store, registry: Registry) -> None:
    runs: list[int] = []
    told = threading.Event()

    @registry.handler("v1/asks")
    def asks(cancelled: threading.Event) -> None:
        is_first = not runs  # before anybody is told of it, and takes the step away
        runs.append(1)
        if is_first:
            assert cancelled.wait(90)
            told.set()

    with Engine(store, registry) as engine:
        step_id = engine.add(new_step("v1/asks"))
        wait_for(lambda: runs)
        engine.reschedule(step_id, engine.get(step_id).created_at)
        assert told.wait(90)
        wait_for(lambda: engine.get(step_id).ended_as == "done")
    assert len(runs) == 2


def test_who_runs_long_in_peace_is_left_alone(store: Store, registry: Registry) -> None:
    told: list[bool] = []
    registry.add(lambda cancelled: told.append(cancelled.wait(3.5)), "v1/long")
    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/long"))
    engine.drain()
    assert told == [False]
    assert engine.get(step_id).ended_as == "done"


def test_at_the_end_of_a_stop_coroutines_are_cancelled(store: Store, registry: Registry) -> None:
    """Their steps have been given back before, so that it is no failed attempt."""
    running, cleaned_up = threading.Event(), threading.Event()

    @registry.handler("v1/sleeps")
    async def sleeps() -> None:
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            cleaned_up.set()

    engine = Engine(store, registry).start()
    step_id = engine.add(new_step("v1/sleeps"))
    assert running.wait(90)
    engine.stop(timeout=0.05)
    assert cleaned_up.wait(90)
    step = engine.get(step_id)
    assert (step.status, step.failure_count, step.claimed_by) == ("ready", 0, None)


def test_a_stop_ends_when_coroutines_have_cleaned_up(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program may end right after it, and its threads with it."""
    monkeypatch.setattr(looping, "CLEAN_UP", 90.0)
    running, cleaned_up = threading.Event(), threading.Event()

    @registry.handler("v1/sleeps")
    async def sleeps() -> None:
        running.set()
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.2)
            cleaned_up.set()

    engine = Engine(store, registry).start()
    engine.add(new_step("v1/sleeps"))
    assert running.wait(90)
    engine.stop(timeout=0.05)
    assert cleaned_up.is_set()


async def _coroutine(cancelled: threading.Event) -> None: ...


def test_a_coroutine_has_no_need_to_ask(registry: Registry) -> None:
    with pytest.raises(HandlerInvalid, match="cancelled itself"):
        registry.add(_coroutine, "v1/x")
