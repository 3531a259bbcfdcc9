"""Callers that add at the same time share a commit, and none pays for another's mistake."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest
from tests.engine.signals import wait_for

from stepwell import StepClient, new_step
from stepwell.engine.together import Together, _OfThread, _tell_tasks
from stepwell.errors import StoreUnavailable, UniqueKeyTaken
from stepwell.step import Addition
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store

Commit = Callable[[list[Addition]], None]


class Gate:
    """A commit that the first caller waits in until the others have come."""

    def __init__(self, commit: Commit = lambda additions: None) -> None:
        self.sizes: list[int] = []
        self.entered, self.open = threading.Event(), threading.Event()
        self._commit = commit

    def __call__(self, additions: list[Addition]) -> None:
        self.sizes.append(len(additions))
        self.entered.set()
        assert self.open.wait(90)
        self._commit(additions)


def some(number: int = 1) -> list[Addition]:
    """Additions, told apart by nothing."""
    step = StepClient(MemoryStore())
    return [step._sealed(new_step("v1/x")) for _ in range(number)]


def test_who_comes_during_a_commit_shares_the_next() -> None:
    gate = Gate()
    together = Together(gate)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(together.add, some())
        assert gate.entered.wait(90)
        others = [pool.submit(together.add, some()) for _ in range(8)]
        wait_for(lambda: len(together._waiting) == 8)
        gate.open.set()
        for call in (first, *others):
            call.result(90)
    assert gate.sizes == [1, 8]


def test_a_mistake_is_its_makers_and_nobody_elses() -> None:
    store = MemoryStore()
    client = StepClient(store)
    client.add(new_step("v1/x", singleton=True))
    gate = Gate(client._add_now)
    client._together = Together(gate)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(client.add, new_step("v1/y"))
        assert gate.entered.wait(90)
        good = [pool.submit(client.add, new_step("v1/y")) for _ in range(2)]
        bad = pool.submit(client.add, new_step("v1/x", singleton=True))
        wait_for(lambda: len(client._together._waiting) == 3)
        gate.open.set()
        for call in (first, *good):
            call.result(90)
        with pytest.raises(UniqueKeyTaken):
            bad.result(90)
    assert client.count(name="v1/y").ready == 3


def test_a_store_that_is_away_is_everybodys_error() -> None:
    def away(additions: list[Addition]) -> None:
        raise StoreUnavailable("away")

    gate = Gate(away)
    together = Together(gate)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(together.add, some())]
        assert gate.entered.wait(90)
        calls += [pool.submit(together.add, some()) for _ in range(2)]
        wait_for(lambda: len(together._waiting) == 2)
        gate.open.set()
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call.result(90)
    assert gate.sizes == [1, 2]


def test_a_leader_that_is_interrupted_leaves_nobody_waiting() -> None:
    class Interrupted(BaseException):
        pass

    def interrupted(additions: list[Addition]) -> None:
        raise Interrupted

    gate = Gate(interrupted)
    together = Together(gate)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together.add, some())
        assert gate.entered.wait(90)
        second = pool.submit(together.add, some())
        wait_for(lambda: len(together._waiting) == 1)
        gate.open.set()
        for call in (first, second):
            with pytest.raises(Interrupted):
                call.result(90)
    assert together._leader is None


def test_who_is_interrupted_twice_leads_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second signal comes while it gives up: whoever adds after it must not wait for it."""
    gate = Gate()
    gate.open.set()
    together = Together(gate)

    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    def both() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(together, "_commit", interrupt)
            patch.setattr(together, "_give_up", interrupt)
            with pytest.raises(KeyboardInterrupt):
                together.add(some())
        together.add(some())

    thread = threading.Thread(target=both, daemon=True)
    thread.start()
    thread.join(90)
    assert not thread.is_alive()
    assert together._leader is None


def test_who_is_interrupted_while_it_waits_leaves_nobody_waiting() -> None:
    """A signal's handler raises in the main thread, which waits for the commit before its own."""
    gate = Gate()
    together = Together(gate)

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def ring() -> None:
        wait_for(lambda: len(together._waiting) == 1)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(together.add, some())
            assert gate.entered.wait(90)
            ringing = pool.submit(ring)
            with pytest.raises(KeyboardInterrupt):
                together.add(some())
            ringing.result(90)
            gate.open.set()
            for call in (first, pool.submit(together.add, some())):
                call.result(90)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert gate.sizes == [1, 1]
    assert together._leader is None


def test_who_is_interrupted_when_it_is_to_lead_hands_the_lead_on() -> None:
    gate = Gate()
    together = Together(gate)
    interrupted = _OfThread(some())
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together.add, some())
        assert gate.entered.wait(90)
        assert not together._enters(interrupted)
        gate.open.set()
        first.result(90)
        assert together._leader is interrupted
        last = pool.submit(together.add, some())
        wait_for(lambda: len(together._waiting) == 2)
        together._give_up(interrupted)
        last.result(90)
    assert gate.sizes == [1, 1]
    assert together._leader is None


def test_a_task_is_served_where_all_threads_of_its_loop_wait_to_add() -> None:
    gate = Gate()
    together = Together(gate)

    async def crowd() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        begin = threading.Event()

        def late() -> None:
            assert begin.wait(90)
            together.add(some())

        threads = [asyncio.create_task(asyncio.to_thread(late)) for _ in range(4)]
        await asyncio.sleep(0)  # they are in the executor's line before the task is
        task = asyncio.create_task(together.add_async(some()))
        await asyncio.sleep(0)
        assert together._leader is not None
        begin.set()
        gate.open.set()
        await asyncio.wait_for(asyncio.gather(task, *threads), 90)

    asyncio.run(crowd())
    assert sum(gate.sizes) == 5
    assert together._leader is None


def test_a_crowd_is_divided_so_that_no_commit_grows_without_end() -> None:
    gate = Gate()
    together = Together(gate)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(together.add, some())]
        assert gate.entered.wait(90)
        calls += [pool.submit(together.add, some(600)) for _ in range(3)]
        wait_for(lambda: len(together._waiting) == 3)
        gate.open.set()
        for call in calls:
            call.result(90)
    assert gate.sizes == [1, 600, 600, 600]


def test_many_threads_add_and_every_step_is_there_once(store: Store) -> None:
    client = StepClient(store)
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda n: client.add(new_step("v1/x", n)), range(200)))
    assert len(set(ids)) == 200
    assert {step.id for step in client.search(name="v1/x", limit=300)} == set(ids)


def test_tasks_share_commits_with_threads(store: Store) -> None:
    client = StepClient(store)

    async def crowd() -> None:
        adds = [client.add_async(new_step("v1/x", n)) for n in range(50)]
        beside = asyncio.to_thread(client.add, new_step("v1/x"))
        await asyncio.gather(beside, *adds)

    asyncio.run(crowd())
    assert client.count(name="v1/x").ready == 51


def test_a_cancelled_task_hands_the_lead_on() -> None:
    gate = Gate()
    together = Together(gate)

    async def crowd() -> None:
        first = asyncio.create_task(together.add_async(some()))
        await asyncio.to_thread(gate.entered.wait, 90)
        cancelled = asyncio.create_task(together.add_async(some()))
        last = asyncio.create_task(together.add_async(some()))
        await asyncio.to_thread(wait_for, lambda: len(together._waiting) == 2)
        cancelled.cancel()
        gate.open.set()
        await asyncio.gather(first, last)
        with pytest.raises(asyncio.CancelledError):
            await cancelled

    asyncio.run(crowd())
    assert sum(gate.sizes) == 3
    assert together._leader is None


def test_a_loop_is_woken_once_for_all_of_its_tasks_that_one_commit_serves() -> None:
    gate = Gate()
    together = Together(gate)

    async def crowd() -> int:
        loop, woken = asyncio.get_running_loop(), 0
        soon = loop.call_soon_threadsafe

        def counted(act: Callable[..., object], *args: object, **more: Any) -> asyncio.Handle:
            nonlocal woken
            woken += act is _tell_tasks
            return soon(act, *args, **more)

        loop.call_soon_threadsafe = counted  # type: ignore[assignment]
        tasks = [asyncio.create_task(together.add_async(some()))]
        await asyncio.to_thread(gate.entered.wait, 90)
        tasks += [asyncio.create_task(together.add_async(some())) for _ in range(8)]
        await asyncio.to_thread(wait_for, lambda: len(together._waiting) == 8)
        gate.open.set()
        await asyncio.gather(*tasks)
        return woken

    assert asyncio.run(crowd()) == 2
    assert gate.sizes == [1, 8]


def test_who_waits_behind_a_task_whose_loop_is_closed_is_served_and_so_is_the_task() -> None:
    gate = Gate()
    together = Together(gate)

    async def gives_up() -> None:
        task = asyncio.create_task(together.add_async(some()))
        await asyncio.to_thread(wait_for, lambda: len(together._waiting) == 1)
        task.cancel()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together.add, some())
        assert gate.entered.wait(90)
        asyncio.run(gives_up())
        last = pool.submit(together.add, some())
        wait_for(lambda: len(together._waiting) == 2)
        gate.open.set()
        for call in (first, last):
            call.result(90)
    assert gate.sizes == [1, 2]


def test_a_task_of_a_loop_whose_threads_are_closed_is_served() -> None:
    gate = Gate()
    together = Together(gate)
    gate.open.set()

    async def late() -> None:
        await asyncio.get_running_loop().shutdown_default_executor()
        await together.add_async(some())

    asyncio.run(late())
    assert gate.sizes == [1]
    assert together._leader is None
