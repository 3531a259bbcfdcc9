"""The same work for every peer: what a peer has to offer, and the jobs that use it.

This runs in a peer's own environment and knows the standard library only. Each job is a
subject (see benchmarks/subject.py): the first argument says which.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias

from benchmarks.subject import serve

STATE_BYTES: Final = 100
LOOK: Final = 0.02
"""Seconds between looks whether anything has been called; the queue is asked only if not."""
AT_ONCE: Final = 5000
"""Jobs in one call while a database is filled, before the clock runs."""

State: TypeAlias = dict[str, Any]
Handle: TypeAlias = Callable[[State], Awaitable[None]]


class Peer(ABC):
    """A job system on one database, used as its documentation says.

    Parameters
    ----------
    address : of the database.
    handle : called with the state of each job that is run.
    """

    def __init__(self, address: str, handle: Handle) -> None:
        self.address, self.handle = address, handle

    @abstractmethod
    async def install(self) -> None:
        """Make its tables."""

    @abstractmethod
    async def open(self) -> None:
        """Connect, to add jobs or to run them."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""

    @abstractmethod
    async def add(self, state: State) -> None:
        """Add one job; it is durable when this returns."""

    @abstractmethod
    async def add_many(self, states: list[State]) -> None:
        """Add jobs in the fastest documented way."""

    @abstractmethod
    async def work(self) -> None:
        """Run jobs, until cancelled, or until there are none where it has such a mode."""

    @abstractmethod
    async def left(self) -> int:
        """How many jobs are not ended."""


Make: TypeAlias = Callable[[str, Handle], Peer]


class Recorder:
    """What the handlers of a process have been called for; a chain's next job is added by it."""

    def __init__(self, make: Make, address: str) -> None:
        self.calls, self._wanted = 0, asyncio.Event()
        self._loop, self._jobs = asyncio.get_running_loop(), 0
        self.started: dict[int, float] = {}
        self.peer = make(address, self.handle)

    async def all_of(self, jobs: int) -> None:
        """Wait until so many numbered jobs were started."""
        self._jobs = jobs
        await self._wanted.wait()

    async def handle(self, state: State) -> None:
        """The handler of every job."""
        self.calls += 1
        if "number" in state:
            self.started[state["number"]] = time.time()
            if len(self.started) == self._jobs:
                self._loop.call_soon_threadsafe(self._wanted.set)
        if state["left"]:
            await self.peer.add(state | {"left": state["left"] - 1})


def state(left: int = 0) -> State:
    """A state of 100 bytes, with so many jobs after this one."""
    bare = {"left": left, "padding": ""}
    return bare | {"padding": "x" * (STATE_BYTES - len(json.dumps(bare, separators=(",", ":"))))}


async def fill(make: Make, address: str, jobs: str, left: str) -> int:
    """Tables, and so many jobs that wait, each with so many after it."""
    peer = make(address, _unexpected)
    await peer.install()
    await peer.open()
    for start in range(0, int(jobs), AT_ONCE):
        number = min(AT_ONCE, int(jobs) - start)
        await peer.add_many([state(int(left)) for _ in range(number)])
    await peer.close()
    return int(jobs)


async def drain(make: Make, address: str) -> dict[str, float]:
    """Run until no job is left: how many handlers were called here, and when all had ended."""
    recorder = Recorder(make, address)
    await recorder.peer.open()
    working = asyncio.create_task(recorder.peer.work())
    ended = await _until_nothing_is_left(recorder, working)
    await _cancelled(working)
    await recorder.peer.close()
    return {"calls": recorder.calls, "ended": ended}


async def single(make: Make, address: str, jobs: str, callers: str) -> int:
    """Add jobs one by one, by so many coroutines at once."""
    peer = make(address, _unexpected)
    await peer.open()
    each, more = divmod(int(jobs), int(callers))

    async def caller(calls: int) -> None:
        for _ in range(calls):
            await peer.add(state())

    await asyncio.gather(*(caller(each + (place < more)) for place in range(int(callers))))
    await peer.close()
    return int(jobs)


async def bulk(make: Make, address: str, jobs: str) -> int:
    """Add jobs in one call."""
    peer = make(address, _unexpected)
    await peer.open()
    await peer.add_many([state() for _ in range(int(jobs))])
    await peer.close()
    return int(jobs)


async def listen(make: Make, address: str, jobs: str) -> dict[int, float]:
    """Run until so many jobs were started; when each was."""
    recorder = Recorder(make, address)
    await recorder.peer.open()
    working = asyncio.create_task(recorder.peer.work())
    await recorder.all_of(int(jobs))
    await _cancelled(working)
    await recorder.peer.close()
    return recorder.started


async def trickle(make: Make, address: str, jobs: str, apart: str) -> dict[int, float]:
    """Add jobs at a steady pace; when each call was made."""
    peer = make(address, _unexpected)
    await peer.open()
    asked = await _trickled(peer, int(jobs), float(apart))
    await peer.close()
    return asked


async def both(make: Make, address: str, jobs: str, apart: str) -> dict[str, dict[int, float]]:
    """Add jobs at a steady pace and run them; when each call was made, and each job started."""
    recorder = Recorder(make, address)
    await recorder.peer.open()
    working = asyncio.create_task(recorder.peer.work())
    started = asyncio.create_task(recorder.all_of(int(jobs)))
    asked = await _trickled(recorder.peer, int(jobs), float(apart))
    await started
    await _cancelled(working)
    await recorder.peer.close()
    return {"asked": asked, "began": recorder.started}


JOBS: Final[dict[str, Callable[..., Coroutine[Any, Any, Any]]]] = {
    "fill": fill,
    "drain": drain,
    "single": single,
    "bulk": bulk,
    "listen": listen,
    "trickle": trickle,
    "both": both,
}


def main(make: Make, run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run) -> None:
    """The command of a peer's module: JOB ADDRESS and the job's own arguments."""
    serve(lambda job, *arguments: run(JOBS[job](make, *arguments)))


async def _until_nothing_is_left(recorder: Recorder, working: asyncio.Task[None]) -> float:
    seen = -1
    while not working.done():
        await asyncio.sleep(LOOK)
        if recorder.calls == seen and not await recorder.peer.left():
            break
        seen = recorder.calls
    return time.time()


async def _trickled(peer: Peer, jobs: int, apart: float) -> dict[int, float]:
    await asyncio.sleep(1.0)  # whoever listens has begun to by then
    asked: dict[int, float] = {}
    begun = time.monotonic()
    for number in range(jobs):
        await asyncio.sleep(max(begun + number * apart - time.monotonic(), 0))
        asked[number] = time.time()
        await peer.add(state() | {"number": number})
    return asked


async def _cancelled(working: asyncio.Task[None]) -> None:
    working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        pass
    except Exception as error:
        print(f"stopping: {error!r}", file=sys.stderr)


async def _unexpected(state: State) -> None:
    raise AssertionError("this process only adds")
