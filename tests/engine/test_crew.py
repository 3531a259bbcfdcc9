"""Threads that are woken by need: none too many, and no work that nobody looks at."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import pytest
from tests.engine.signals import wait_for

from stepwell.engine import crew
from stepwell.engine.crew import Crew

PATIENCE = 90.0


class Bench:
    """A crew and its work: whatever is put here is called by one of its threads."""

    def __init__(self, most: int, fewest: int | None = None) -> None:
        self.waiting: deque[Callable[[], object]] = deque()
        self.done = 0
        self.by: set[str] = set()
        self._counting = threading.Lock()
        self.crew = Crew(
            self._work, lambda: bool(self.waiting), most, most if fewest is None else fewest
        )

    def put(self, *work: Callable[[], object]) -> None:
        """More work, and a call, as the engine does it."""
        self.waiting.extend(work)
        self.crew.call()

    def _work(self) -> bool:
        try:
            work = self.waiting.popleft()
        except IndexError:
            return False
        if self.waiting:
            self.crew.call()
        work()
        with self._counting:
            self.done += 1
            self.by.add(threading.current_thread().name)
        return True


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes benches whose crews are sent home after the test."""
    made: list[Bench] = []

    def make(most: int, fewest: int | None = None) -> Bench:
        made.append(Bench(most, fewest))
        return made[-1]

    yield make
    for one in made:
        one.crew.stop()


def nothing() -> None:
    """Work that takes no time."""


def test_no_thread_is_started_before_there_is_work(bench: Callable[..., Bench]) -> None:
    one = bench(4)
    assert len(one.crew) == 0
    one.put(nothing)
    wait_for(lambda: one.done == 1)
    assert len(one.crew) == 1


def test_work_that_takes_no_time_is_done_by_a_few_threads(bench: Callable[..., Bench]) -> None:
    """One that is started does not start the next at once, only because it is first to run."""
    one = bench(256)
    one.put(*[nothing] * 1000)
    wait_for(lambda: one.done == 1000)
    assert len(one.crew) < 64


def test_while_one_thread_blocks_the_others_go_on(bench: Callable[..., Bench]) -> None:
    """Nobody has to know beforehand which work is slow."""
    one, go = bench(3), threading.Event()
    one.put(lambda: go.wait(PATIENCE), *[nothing] * 50, lambda: go.wait(PATIENCE), *[nothing] * 50)
    wait_for(lambda: one.done == 100)
    go.set()
    wait_for(lambda: one.done == 102)
    assert len(one.crew) <= 3


def test_there_are_never_more_threads_than_the_most(bench: Callable[..., Bench]) -> None:
    one, go = bench(3), threading.Event()
    started = threading.Semaphore(0)

    def block() -> None:
        started.release()
        go.wait(PATIENCE)

    one.put(*[block] * 10)
    for _ in range(3):
        assert started.acquire(timeout=PATIENCE)
    assert (len(one.crew), len(one.waiting)) == (3, 7)
    go.set()
    wait_for(lambda: one.done == 10)
    assert len(one.by) == 3


@pytest.mark.parametrize("most", [1, 2, 8])
def test_no_work_is_left_lying(bench: Callable[..., Bench], most: int) -> None:
    """Whatever a call coincides with: a thread that lies down, ends, or is on its way."""
    one, rounds = bench(most), 3000

    def produce() -> None:
        for number in range(rounds):
            one.put(nothing)
            if number % 50 == 0:
                time.sleep(0.0005)

    producers = [threading.Thread(target=produce) for _ in range(3)]
    for thread in producers:
        thread.start()
    for thread in producers:
        thread.join(PATIENCE)
    wait_for(lambda: one.done == 3 * rounds)


def test_work_that_comes_while_a_thread_lies_down_is_seen_by_it() -> None:
    """It has found nothing, is not asleep yet, and nobody else can be called."""
    come, done = [False], threading.Event()

    def work() -> bool:
        if come[0]:
            done.set()
            come[0] = False
            return True
        if not done.is_set():
            come[0] = True
            one.call()
        return False

    one = Crew(work, lambda: come[0], most=1, fewest=1)
    one.call()
    assert done.wait(PATIENCE)
    one.stop()


def test_threads_beyond_the_fewest_end_without_work_and_come_back(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "REST", 0.01)
    one, all_here = bench(4, 1), threading.Barrier(4)
    for _ in range(20):
        one.put(*[lambda: all_here.wait(PATIENCE)] * 4)
        wait_for(lambda: len(one.crew) == 1 and not one.waiting)
    wait_for(lambda: one.done == 80)


def test_a_stop_takes_up_nothing_more_and_ends_the_threads(bench: Callable[..., Bench]) -> None:
    one, go = bench(2), threading.Event()
    one.put(*[lambda: go.wait(PATIENCE)] * 2, nothing)
    wait_for(lambda: len(one.waiting) == 1)
    one.crew.stop()
    one.put(nothing)
    go.set()
    wait_for(lambda: len(one.crew) == 0)
    assert (one.done, len(one.waiting)) == (2, 2)


def test_a_machine_that_gives_no_more_threads_is_worked_on_with_fewer(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where there is none at all the caller hears of it, and may call again."""
    one, start = bench(4), threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError):
        one.put(nothing)
    monkeypatch.setattr(threading.Thread, "start", start)
    one.put(nothing)
    wait_for(lambda: one.done == 2)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    one.put(*[nothing] * 100)
    wait_for(lambda: one.done == 102)
    assert len(one.crew) <= 2
