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

from stepwell.after_fork import after_fork, leave
from stepwell.errors import StoreUnavailable
from stepwell.step import Addition

MOST: Final = 1000
"""The most steps that are added by one commit of several callers."""

Commit: TypeAlias = Callable[[list[Addition]], None]


class _Call:
    """One caller's steps, and what the store has said of them.

    `led` is what it adds as the leader, its own included; `added` says that this is over.
    """

    __slots__ = ("added", "additions", "error", "led")

    def __init__(self, additions: list[Addition]) -> None:
        self.additions = additions
        self.error: Exception | None = None
        self.led: list[_OfThread | _OfTask] = []
        self.added = False


class _OfThread(_Call):
    """A thread waits for its lock, until its steps are added or it is to lead."""

    __slots__ = ("over", "thread")

    def __init__(self, additions: list[Addition]) -> None:
        super().__init__(additions)
        self.thread = threading.get_ident()
        self.over = threading.Lock()
        self.over.acquire()

    def wake(self) -> None:
        """Let it go on, if nobody has yet."""
        with suppress(RuntimeError):
            self.over.release()


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
        self._leader: _OfThread | _OfTask | None = None
        self._inside: set[int] = set()
        self._leaders = _one_thread()

    def add(self, additions: list[Addition]) -> None:
        """Returns when they are durable; raises what the store says of them."""
        me = threading.get_ident()
        if me in self._inside:  # a signal's handler, or a finalizer: if it waited for who leads,
            self._commit(additions)  # it would wait for itself
            return
        call = _OfThread(additions)
        try:
            self._inside.add(me)
            before = self._leader
            if isinstance(before, _OfThread) and before.thread == me:
                self._give_up(before)  # a second signal came while it was giving up
            if not self._enters(call):
                call.over.acquire()
            if self._leader is call:
                self._lead(call)
        except BaseException:  # a signal, wherever it came: who waits behind must not wait for it
            self._give_up(call)
            raise
        finally:
            self._inside.discard(me)
        if call.error is not None:
            raise call.error

    async def add_async(self, additions: list[Addition]) -> None:
        """The same without blocking the event loop. Who is cancelled is added all the same."""
        me, call = threading.get_ident(), _OfTask(additions, asyncio.get_running_loop())
        try:
            self._inside.add(me)
            if self._enters(call):
                self._begin(call)
        except BaseException:
            self._give_up(call)
            raise
        finally:
            self._inside.discard(me)
        await call.answer

    def begin_anew(self) -> None:
        """Who was adding when the process was forked adds in the parent alone."""
        leave(self._waiting, self._leaders)
        self._be_new()

    def _enters(self, call: _OfThread | _OfTask) -> bool:
        """Whether nobody is adding, so that this call leads."""
        with self._lock:
            self._waiting.append(call)
            if self._leader is None:
                self._leader = call
            return self._leader is call

    def _give_up(self, call: _OfThread | _OfTask) -> None:
        """It was interrupted anywhere: what it has to do for others is done, once or twice."""
        with self._lock:
            gone = {id(one) for one in (call, *call.led)}
            self._waiting = [one for one in self._waiting if id(one) not in gone]
        if not call.added:
            _interrupted(call.led)
        self._end(call)

    def _lead(self, leader: _OfThread) -> None:
        self._take(leader)
        self._add(leader.led)
        leader.added = True
        self._end(leader)

    def _end(self, leader: _OfThread | _OfTask) -> None:
        self._call(self._handed_on(leader))
        _tell(call for call in leader.led if call is not leader)

    def _lead_tasks(self, leader: _OfTask) -> None:
        if self._leader is not leader:  # it was told to twice
            return
        following: _OfThread | _OfTask | None = leader
        self._inside.add(me := threading.get_ident())
        while isinstance(following, _OfTask) and following.loop is leader.loop:
            leader = following
            self._take(leader)
            try:
                self._add(leader.led)
            except BaseException:
                _interrupted(leader.led)
            following = self._handed_on(leader)
            _tell(leader.led)
        self._inside.discard(me)
        self._call(following)

    def _begin(self, leader: _OfTask) -> None:
        """In no thread of the loop's: all of those may be waiting, even for this one to lead."""
        try:
            self._leaders.submit(self._lead_tasks, leader)
        except RuntimeError:  # the interpreter is about to end, but who came after this one waits
            threading.Thread(target=self._lead_tasks, args=[leader], daemon=True).start()

    def _take(self, leader: _OfThread | _OfTask) -> None:
        """The first who wait, up to the most steps; whoever leads is the first of all."""
        with self._lock:
            taken, size = len(self._waiting), 0
            for place, call in enumerate(self._waiting):
                size += len(call.additions)
                if size > MOST and place:
                    taken = place
                    break
            leader.led = self._waiting[:taken]
            del self._waiting[:taken]

    def _handed_on(self, leader: _OfThread | _OfTask) -> _OfThread | _OfTask | None:
        """The first who waits leads now."""
        with self._lock:
            if self._leader is leader:
                self._leader = self._waiting[0] if self._waiting else None
            return self._leader

    def _call(self, leader: _OfThread | _OfTask | None) -> None:
        if isinstance(leader, _OfThread):
            leader.wake()
        elif isinstance(leader, _OfTask):
            self._begin(leader)

    def _add(self, calls: Sequence[_Call]) -> None:
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
            call.wake()
        else:
            of_loops.setdefault(call.loop, []).append(call)
    for loop, tasks in of_loops.items():
        with suppress(RuntimeError):  # it has been closed: nobody waits there any more
            loop.call_soon_threadsafe(_tell_tasks, tasks)


def _tell_tasks(calls: list[_OfTask]) -> None:
    for call in calls:
        call.tell()
