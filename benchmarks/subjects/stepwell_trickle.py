"""Adding one step at a time at a steady pace.

Run as `python -m benchmarks.subjects.stepwell_trickle ADDRESS STEPS SECONDS`.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from benchmarks.handlers import state
from benchmarks.stores import store_at
from benchmarks.subject import serve
from stepwell import StepClient, new_step


class Job(NamedTuple):
    """What is to be added, and so many seconds apart."""

    client: StepClient
    steps: int
    apart: float


def prepare(address: str, steps: str, apart: str) -> Job:
    """With the connection open."""
    store = store_at(address)
    store.open()
    return Job(StepClient(store), int(steps), float(apart))


def trickle(job: Job) -> dict[int, float]:
    """When the call that added each step was made, in Unix seconds."""
    asked: dict[int, float] = {}
    begun = time.monotonic()
    for number in range(job.steps):
        time.sleep(max(begun + (number + 1) * job.apart - time.monotonic(), 0))
        asked[number] = time.time()
        job.client.add(new_step("v1/note", state() | {"number": number}))
    return asked


def work(job: Job) -> dict[int, float]:
    """The same, and then the end."""
    asked = trickle(job)
    job.client.store.close()
    return asked


if __name__ == "__main__":
    serve(work, prepare)
