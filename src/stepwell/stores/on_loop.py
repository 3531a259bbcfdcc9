"""A synchronous verb on a connection of asyncio: the verb in a thread, its statements on the loop.

No verb is written twice (decision 20). Whoever awaits does, in their own task,
what the thread asks for, so a cancellation meets the statement that is under
way, and the verb takes back what it has begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeAlias, TypeVar

Answer = TypeVar("Answer")

_Asked: TypeAlias = tuple[Coroutine[Any, Any, Any], Future[Any]]


class OnLoop:
    """A connection of asyncio in the hands of a thread.

    Parameters
    ----------
    connection : the driver's connection, whose methods are coroutines; of the loop that runs.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._loop = asyncio.get_running_loop()
        self._asked: asyncio.Queue[_Asked | None] = asyncio.Queue()
        self._cancelled: asyncio.CancelledError | None = None

    def wait(self, operation: Coroutine[Any, Any, Answer]) -> Answer:
        """In the thread: have the loop do this; its result, or what it raises."""
        answer: Future[Answer] = Future()
        self._ask((operation, answer))
        return answer.result()

    async def run(self, verb: Callable[[OnLoop], Answer]) -> Answer:
        """On the loop: call the verb in a thread of its own, and do what it asks for."""
        # Of its own: in a pool, verbs that wait for a row could keep the one out that holds it.
        ended: Future[Answer] = Future()
        Thread(
            target=copy_context().run,
            args=(self._live, verb, ended),
            name="stepwell-outbox",
            daemon=True,
        ).start()
        while (asked := await self._next()) is not None:
            await self._do(*asked)
        if self._cancelled is not None:
            raise self._cancelled
        return ended.result()

    def _live(self, verb: Callable[[OnLoop], Answer], ended: Future[Answer]) -> None:
        try:
            ended.set_result(verb(self))
        except BaseException as error:
            ended.set_exception(error)
        self._ask(None)

    def _ask(self, asked: _Asked | None) -> None:
        self._loop.call_soon_threadsafe(self._asked.put_nowait, asked)

    async def _next(self) -> _Asked | None:
        while True:
            try:
                return await self._asked.get()
            except asyncio.CancelledError as error:
                self._cancelled = error  # the thread hears of it with its next statement

    async def _do(self, operation: Coroutine[Any, Any, Answer], answer: Future[Answer]) -> None:
        if self._cancelled is not None:
            operation.close()
            answer.set_exception(self._cancelled)
            self._cancelled = None
            return
        try:
            answer.set_result(await operation)
        except (Exception, asyncio.CancelledError) as error:
            answer.set_exception(error)
