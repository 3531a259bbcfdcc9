"""A verb in a thread, its operations in the task that awaits it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from stepwell.stores.on_loop import OnLoop

WORD: ContextVar[str] = ContextVar("word")
PATIENCE = 90.0


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def refuse() -> int:
    raise KeyError("no")


async def thread_and_task() -> tuple[int, object]:
    return threading.get_ident(), asyncio.current_task()


def test_what_the_thread_asks_for_is_done_in_the_callers_task() -> None:
    def verb(lent: OnLoop) -> tuple[int, tuple[int, object]]:
        return threading.get_ident(), lent.wait(thread_and_task())

    async def act() -> None:
        inside, (outside, task) = await OnLoop(None).run(verb)
        assert outside == threading.get_ident() != inside
        assert task is asyncio.current_task()

    asyncio.run(act())


def test_answers_and_errors_come_back_to_the_thread_in_order() -> None:
    def verb(lent: OnLoop) -> list[object]:
        first = lent.wait(double(1))
        with pytest.raises(KeyError):
            lent.wait(refuse())
        return [first, lent.wait(double(2))]

    async def act() -> list[object]:
        return await OnLoop(None).run(verb)

    assert asyncio.run(act()) == [2, 4]


def test_what_the_verb_raises_its_caller_gets() -> None:
    def verb(lent: OnLoop) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        asyncio.run(_run(verb))


def test_the_verb_sees_the_callers_context() -> None:
    async def act() -> str:
        WORD.set("here")
        return await OnLoop(None).run(lambda _: WORD.get())

    assert asyncio.run(act()) == "here"


def test_a_cancellation_while_the_thread_computes_meets_its_next_operation() -> None:
    begun, goes_on = threading.Event(), threading.Event()
    seen: list[object] = []

    def verb(lent: OnLoop) -> None:
        begun.set()
        goes_on.wait(PATIENCE)
        try:
            lent.wait(double(1))
        except asyncio.CancelledError:
            seen.append(lent.wait(double(2)))  # taking back is not cancelled
            raise

    async def act() -> None:
        task = asyncio.create_task(_run(verb))
        await asyncio.to_thread(begun.wait, PATIENCE)
        task.cancel()
        asyncio.get_running_loop().call_soon(goes_on.set)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(act())
    assert seen == [4]


def test_a_cancellation_after_the_last_operation_is_not_lost() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def verb(lent: OnLoop) -> None:
        begun.set()
        goes_on.wait(PATIENCE)

    async def act() -> None:
        task = asyncio.create_task(_run(verb))
        await asyncio.to_thread(begun.wait, PATIENCE)
        task.cancel()
        asyncio.get_running_loop().call_soon(goes_on.set)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(act())


async def _run(verb: Callable[[OnLoop], None]) -> None:
    await OnLoop(None).run(verb)
