"""Callers that add steps at the same time share a commit.

Whoever finds nobody adding adds what is waiting, its own included, and hands on to the next
who came meanwhile. So nobody waits for company, and the more callers there are, the more of
them one commit serves. If the store refuses what was put together, each is added alone, so
that a mistake is the error of its maker.

A thread that adds leads itself. For tasks a thread that does nothing else leads, and goes on as
long as the next who waits is of the same loop: all tasks of one commit are told at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeAlias

from stepwell.anew import after_fork, leave
from stepwell.errors import StoreUnavailable
from stepwell.step import Addition

MOST: Final = 1000
"""The most steps that are added by one commit of several callers."""

Commit: TypeAlias = Callable[[list[Addition]], None]


class _Call:
    """One caller's steps, and what the store has said of them."""

    __slots__ = ("additions", "error")

    def __init__(self, additions: list[Addition]) -> None:
        self.additions = additions
        self.error: Exception | None = None


class _OfThread(_Call):
    """A thread waits for its lock, until its steps are added or it is to lead."""

    __slots__ = ("leads", "over")

    def __init__(self, additions: list[Addition]) -> None:
        super().__init__(additions)
        self.leads, self.over = False, threading.Lock()
        self.over.acquire()


class _OfTask(_Call):
    """A task waits for its answer."""

    __slots__ = ("answer", "loop")

    def __init__(self, additions: list[Addition], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(additions)
        self.loop, self.answer = loop, loop.create_future()

    def tell(self) -> None:
        """In the thread of its loop. Who was cancelled waits no more."""
        if self.answer.done():
            return
        if self.error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(self.error)


class Together:
    """Adds for many threads and tasks.

    Parameters
    ----------
    commit : adds steps in one transaction, all or none.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._be_new()
        after_fork(self)

    def _be_new(self) -> None:
        self._lock = threading.RLock()
        self._waiting: list[_OfThread | _OfTask] = []
        self._busy = False
        self._leading: set[int] = set()
        self._leaders = _one_thread()

    def add(self, additions: list[Addition]) -> None:
        """Returns when they are durable; raises what the store says of them."""
        if threading.get_ident() in self._leading:  # a signal's handler, or a finalizer: if it
            self._commit(additions)  # waited for who leads, it would wait for itself
            return
        call = _OfThread(additions)
        if self._enters(call):
            call.leads = True
        else:
            self._await(call)
        if call.leads:
            self._lead(call)
        if call.error is not None:
            raise call.error

    async def add_async(self, additions: list[Addition]) -> None:
        """The same without blocking the event loop. Who is cancelled is added all the same."""
        loop = asyncio.get_running_loop()
        call = _OfTask(additions, loop)
        if self._enters(call):
            self._begin(loop)
        await call.answer

    def begin_anew(self) -> None:
        """Who was adding when the process was forked adds in the parent alone."""
        leave(self._waiting, self._leaders)
        self._be_new()

    def _enters(self, call: _OfThread | _OfTask) -> bool:
        """Whether nobody is adding, so that this call has to begin."""
        with self._lock:
            self._waiting.append(call)
            begins, self._busy = not self._busy, True
        return begins

    def _await(self, call: _OfThread) -> None:
        try:
            call.over.acquire()
        except BaseException:  # a signal: who waits behind this one must not wait for it
            self._give_up(call)
            raise

    def _give_up(self, call: _OfThread) -> None:
        with self._lock:
            if call in self._waiting:  # else somebody is adding it just now
                self._waiting.remove(call)
        if call.leads:
            self._hand_on()

    def _lead(self, leader: _OfThread) -> None:
        calls: list[_OfThread | _OfTask] = []
        self._leading.add(me := threading.get_ident())
        try:
            calls = self._taken()
            self._add(calls)
        except BaseException:  # this thread is told to end; the others are to know
            _interrupted(calls)
            raise
        finally:
            self._hand_on()
            self._leading.discard(me)
            _tell(call for call in calls if call is not leader)

    def _lead_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        self._leading.add(me := threading.get_ident())
        goes_on = True
        while goes_on:
            calls = self._taken()
            try:
                self._add(calls)
            except BaseException:
                _interrupted(calls)
            goes_on = self._hand_on(loop)
            _tell(calls)
        self._leading.discard(me)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """In no thread of the loop's: all of those may be waiting, even for this one to lead."""
        try:
            self._leaders.submit(self._lead_tasks, loop)
        except RuntimeError:  # the interpreter is about to end, but who came after this one waits
            threading.Thread(target=self._lead_tasks, args=[loop], daemon=True).start()

    def _taken(self) -> list[_OfThread | _OfTask]:
        """The first who wait, up to the most steps; whoever leads is the first of all."""
        with self._lock:
            size = 0
            for place, call in enumerate(self._waiting):
                size += len(call.additions)
                if size > MOST and place:
                    taken, self._waiting = self._waiting[:place], self._waiting[place:]
                    return taken
            taken, self._waiting = self._waiting, []
            return taken

    def _hand_on(self, loop: asyncio.AbstractEventLoop | None = None) -> bool:
        """Let the first who waits lead; True if it is a task of this loop, whose thread goes on."""
        with self._lock:
            first = self._waiting[0] if self._waiting else None
            self._busy = first is not None
            if isinstance(first, _OfThread):
                first.leads = True
        if isinstance(first, _OfThread):
            first.over.release()
        elif isinstance(first, _OfTask):
            if first.loop is loop:
                return True
            self._begin(first.loop)
        return False

    def _add(self, calls: Sequence[_Call]) -> None:
        if not calls:  # a call in the midst of this one's coming has led, and added it as well
            return
        try:
            self._commit([one for call in calls for one in call.additions])
        except Exception as error:
            if len(calls) == 1 or isinstance(error, StoreUnavailable):
                for call in calls:
                    call.error = error
                return
            for call in calls:
                self._add([call])


def _one_thread() -> ThreadPoolExecutor:
    """It starts when it is needed, and ends with who has it."""
    return ThreadPoolExecutor(1, thread_name_prefix="stepwell-adding")


def _interrupted(calls: Iterable[_Call]) -> None:
    for call in calls:
        call.error = call.error or StoreUnavailable("Adding was interrupted.")


def _tell(calls: Iterable[_OfThread | _OfTask]) -> None:
    """Wake who waits: each thread, and each event loop once for all of its tasks."""
    of_loops: dict[asyncio.AbstractEventLoop, list[_OfTask]] = {}
    for call in calls:
        if isinstance(call, _OfThread):
            call.over.release()
        else:
            of_loops.setdefault(call.loop, []).append(call)
    for loop, tasks in of_loops.items():
        with suppress(RuntimeError):  # it has been closed: nobody waits there any more
            loop.call_soon_threadsafe(_tell_tasks, tasks)


def _tell_tasks(calls: list[_OfTask]) -> None:
    for call in calls:
        call.tell()
