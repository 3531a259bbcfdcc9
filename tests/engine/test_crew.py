"""How many threads an engine has: as many as its work needs, between the fewest and the most."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, new_step
from stepwell.engine import crew
from stepwell.engine.crew import Crew
from stepwell.stores.protocol import Store


class Crowd:
    """Pieces of work that wait until they are let go."""

    def __init__(self, most: int = 1, fewest: int = 1) -> None:
        self._lock, self._left = threading.Lock(), 0
        self.crew = Crew(self._work, self._more, most, fewest)
        self.go = threading.Event()
        self.inside: Counter[str] = Counter()

    def add(self, pieces: int) -> None:
        """So many more are to be done."""
        with self._lock:
            self._left += pieces
        self.crew.call()

    @property
    def is_over(self) -> bool:
        """Whether all of it is done."""
        return not self._left and not self.inside["now"]

    def _more(self) -> bool:
        return self._left > 0

    def _work(self) -> bool:
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            self.inside["now"] += 1
        if self._more():  # as a runner does before it goes on
            self.crew.call()
        assert self.go.wait(20)
        with self._lock:
            self.inside["now"] -= 1
        return True


def threads_working() -> int:
    """Worker threads of all engines of this process."""
    names = [thread.name for thread in threading.enumerate()]
    return sum(1 for name in names if name.startswith("stepwell-worker-"))


@pytest.fixture
def short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads without work end soon."""
    monkeypatch.setattr(crew, "REST", 0.05)


def test_work_that_blocks_gets_threads_up_to_the_most(short_rest: None) -> None:
    crowd = Crowd(most=16, fewest=2)
    assert len(crowd.crew) == 0
    crowd.add(40)
    wait_for(lambda: crowd.inside["now"] == 16)
    assert len(crowd.crew) == 16
    crowd.go.set()
    wait_for(lambda: crowd.is_over and len(crowd.crew) == 2)
    crowd.crew.stop()
    wait_for(lambda: len(crowd.crew) == 0)


def test_threads_come_back_when_there_is_work_again(short_rest: None) -> None:
    crowd = Crowd(most=8, fewest=0)
    for _ in range(3):
        crowd.go.clear()
        crowd.add(8)
        wait_for(lambda: crowd.inside["now"] == 8)
        crowd.go.set()
        wait_for(lambda: crowd.is_over and len(crowd.crew) == 0)


def test_an_engine_has_as_many_threads_as_its_handlers_need(
    store: Store, registry: Registry, short_rest: None
) -> None:
    go, inside = threading.Event(), threading.Semaphore(0)

    @registry.handler("v1/wait")
    def wait() -> None:
        inside.release()
        assert go.wait(20)

    with Engine(store, registry, workers=32, min_workers=3) as engine:
        before = threads_working()
        engine.add_many(new_step("v1/wait") for _ in range(50))
        try:
            for _ in range(32):
                assert inside.acquire(timeout=20)
            assert threads_working() - before == 32
            assert not inside.acquire(blocking=False)
        finally:
            go.set()
        wait_for(lambda: engine.tally.done == 50)
        wait_for(lambda: threads_working() - before == 3)
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
