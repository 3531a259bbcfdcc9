"""Adding steps at a rate, in small bulks, for so long.

Run as `python -m benchmarks.subjects.stepwell_pour ADDRESS RATE SECONDS`.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from benchmarks.handlers import state
from benchmarks.stores import store_at
from benchmarks.subject import serve
from stepwell import StepClient, new_step

PER_SECOND: Final = 20
"""Bulks in a second."""


class Job(NamedTuple):
    """Steps per second, and for how long."""

    client: StepClient
    rate: float
    seconds: float


def prepare(address: str, rate: str, seconds: str) -> Job:
    """With the connection open."""
    store = store_at(address)
    store.open()
    return Job(StepClient(store), float(rate), float(seconds))


def pour(job: Job) -> int:
    """Add what is due at each moment; the number of steps added."""
    begun, added = time.monotonic(), 0
    for bulk in range(1, int(job.seconds * PER_SECOND) + 1):
        time.sleep(max(begun + bulk / PER_SECOND - time.monotonic(), 0))
        wanted = int(bulk / PER_SECOND * job.rate) - added
        job.client.add_many([new_step("v1/noop", state()) for _ in range(wanted)])
        added += wanted
    job.client.store.close()
    return added


if __name__ == "__main__":
    serve(pour, prepare)
