"""Adding steps to a store, with nobody there to run them.

Run as `python -m benchmarks.subjects.stepwell_add ADDRESS WAY STEPS CALLERS`, where the way is
`threads` (one call each, so many callers at once), `async` (the same as coroutines), or `bulk`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from benchmarks.handlers import state
from benchmarks.stores import store_at
from benchmarks.subject import serve
from stepwell import StepClient, new_step


class Job(NamedTuple):
    """What is to be added, and how."""

    client: StepClient
    way: str
    steps: int
    callers: int


def prepare(address: str, way: str, steps: str, callers: str) -> Job:
    """With the connection open, as it is in a program that has been running."""
    store = store_at(address)
    store.open()
    return Job(StepClient(store), way, int(steps), int(callers))


def add(job: Job) -> int:
    """Add all; each call returns when its steps are durable."""
    WAYS[job.way](job)
    job.client.store.close()
    return job.steps


def by_threads(job: Job) -> None:
    """So many threads, one step a call."""

    def caller(calls: int) -> None:
        for _ in range(calls):
            job.client.add(new_step("v1/noop", state()))

    with ThreadPoolExecutor(job.callers) as pool:
        list(pool.map(caller, shares(job)))


def by_coroutines(job: Job) -> None:
    """So many coroutines on one event loop, one step a call."""

    async def caller(calls: int) -> None:
        for _ in range(calls):
            await job.client.add_async(new_step("v1/noop", state()))

    async def callers() -> None:
        await asyncio.gather(*map(caller, shares(job)))

    asyncio.run(callers())


def in_bulk(job: Job) -> None:
    """All in one call."""
    job.client.add_bulk("v1/noop", (state() for _ in range(job.steps)))


def shares(job: Job) -> list[int]:
    """How many calls each caller makes."""
    each, more = divmod(job.steps, job.callers)
    return [each + (place < more) for place in range(job.callers)]


WAYS: Final[dict[str, Callable[[Job], None]]] = {
    "threads": by_threads,
    "async": by_coroutines,
    "bulk": in_bulk,
}

if __name__ == "__main__":
    serve(add, prepare)
