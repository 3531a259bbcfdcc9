"""How many handlers an engine runs at once, and on how many threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, new_step
from stepwell.engine import crew
from stepwell.errors import InvalidInput
from stepwell.stores.protocol import Store


def threads_working(engine: Engine) -> int:
    """Worker threads of the engine."""
    assert engine._worker
    return len(engine._worker._runner._crew)


@pytest.fixture
def short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads without work end soon."""
    monkeypatch.setattr(crew, "REST", 0.05)


def test_an_engine_has_as_many_threads_as_its_handlers_need(
    store: Store, registry: Registry, short_rest: None
) -> None:
    go, inside = threading.Event(), threading.Semaphore(0)

    @registry.handler("v1/wait")
    def wait() -> None:
        inside.release()
        assert go.wait(90)

    with Engine(store, registry, workers=32, min_workers=3) as engine:
        engine.add_many(new_step("v1/wait") for _ in range(50))
        try:
            for _ in range(32):
                assert inside.acquire(timeout=90)
            assert threads_working(engine) == 32
            assert not inside.acquire(blocking=False)
        finally:
            go.set()
        wait_for(lambda: engine.tally.done == 50)
        wait_for(lambda: threads_working(engine) == 3)
        engine.add(new_step("v1/wait"))
        wait_for(lambda: engine.tally.done == 51)


def test_coroutines_run_at_once_up_to_the_number_of_workers(
    store: Store, registry: Registry
) -> None:
    go, inside, most = asyncio.Event(), 0, 0

    @registry.handler("v1/wait")
    async def wait() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 32:
            go.set()
        await go.wait()
        inside -= 1

    with Engine(store, registry, workers=32, min_workers=1) as engine:
        engine.add_many(new_step("v1/wait") for _ in range(50))
        wait_for(lambda: engine.tally.done == 50)
    assert most == 32


@pytest.mark.parametrize(
    "slip",
    [
        {"queues": "default"},
        {"queues": ()},
        {"queues": ("",)},
        {"workers": 0},
        {"workers": 2, "min_workers": 4},
        {"min_workers": -1},
        {"processes": 0},
    ],
    ids=str,
)
def test_an_engine_that_would_run_nothing_is_refused(
    store: Store, registry: Registry, slip: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match=list(slip)[-1]):
        Engine(store, registry, **slip)
