"""Callers that add steps at the same time share a commit.

Whoever finds nobody adding adds what is waiting, its own included, and hands on to the next
who came meanwhile. So nobody waits for company, and the more callers there are, the more of
them one commit serves. If the store refuses what was put together, each is added alone, so
that a mistake is the error of its maker.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Final, TypeAlias

from stepwell.errors import StoreUnavailable
from stepwell.step import Addition

MOST: Final = 1000
"""The most steps that are added by one commit of several callers."""

Commit: TypeAlias = Callable[[list[Addition]], None]


class _Call:
    """One caller's steps, and what has become of them.

    Parameters
    ----------
    wake : called, in any thread, when they are added, or when it is this caller's turn to lead.
    """

    __slots__ = ("additions", "error", "leads", "wake")

    def __init__(self, additions: list[Addition], wake: Callable[[], object]) -> None:
        self.additions, self.wake = additions, wake
        self.error: Exception | None = None
        self.leads = False


class Together:
    """Adds for many threads and tasks.

    Parameters
    ----------
    commit : adds steps in one transaction, all or none.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self._waiting: list[_Call] = []
        self._busy = False

    def add(self, additions: list[Addition]) -> None:
        """Returns when they are durable; raises what the store says of them."""
        over = threading.Lock()
        over.acquire()
        call = _Call(additions, over.release)
        if not self._enters(call):
            over.acquire()
        if call.leads:
            self._lead(call)
        if call.error is not None:
            raise call.error

    async def add_async(self, additions: list[Addition]) -> None:
        """The same without blocking the event loop. Who is cancelled is added all the same."""
        await asyncio.shield(asyncio.create_task(self._add_on_loop(additions)))

    async def _add_on_loop(self, additions: list[Addition]) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        call = _Call(additions, lambda: loop.call_soon_threadsafe(over.set))
        if not self._enters(call):
            await over.wait()
        if call.leads:
            await asyncio.to_thread(self._lead, call)
        if call.error is not None:
            raise call.error

    def _enters(self, call: _Call) -> bool:
        """Whether nobody is adding, so that this call has to."""
        with self._lock:
            self._waiting.append(call)
            call.leads, self._busy = not self._busy, True
        return call.leads

    def _lead(self, leader: _Call) -> None:
        with self._lock:
            calls = self._taken()
        try:
            self._add(calls)
        except BaseException:  # this thread is told to end; the others are to know
            for call in calls:
                call.error = call.error or StoreUnavailable("Adding was interrupted.")
            raise
        finally:
            self._hand_on()
            for call in calls:
                if call is not leader:
                    _wake(call)

    def _taken(self) -> list[_Call]:
        """The first who wait, up to the most steps; whoever leads is the first of all."""
        size = 0
        for place, call in enumerate(self._waiting):
            size += len(call.additions)
            if size > MOST and place:
                taken, self._waiting = self._waiting[:place], self._waiting[place:]
                return taken
        taken, self._waiting = self._waiting, []
        return taken

    def _hand_on(self) -> None:
        with self._lock:
            while self._waiting:
                self._waiting[0].leads = True
                if _wake(self._waiting[0]):
                    return
                del self._waiting[0]
            self._busy = False

    def _add(self, calls: list[_Call]) -> None:
        try:
            self._commit([one for call in calls for one in call.additions])
        except Exception as error:
            if len(calls) == 1 or isinstance(error, StoreUnavailable):
                for call in calls:
                    call.error = error
                return
            for call in calls:
                self._add([call])


def _wake(call: _Call) -> bool:
    """False if its event loop has been closed: nobody waits there any more."""
    try:
        call.wake()
    except RuntimeError:
        return False
    return True
