"""W4 chain: flows of ten steps, where each spawns the next."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench
from benchmarks.draining import Drain
from benchmarks.handlers import state
from benchmarks.peers.registry import draining_peers
from benchmarks.places import Place
from benchmarks.stores import with_steps
from stepwell import new_step

TEMPLATE: Final = "chains"
LENGTH: Final = 10


def measure(bench: Bench) -> None:
    """On PostgreSQL."""
    chain(bench, "W4", bench.postgres)


def chain(bench: Bench, workload: str, place: Place) -> None:
    """The chains on any place."""
    flows = bench.sizes.flows
    first = state(LENGTH - 1)
    place.fill(TEMPLATE, with_steps(lambda: (new_step("v1/chain", first) for _ in range(flows))))
    task = Drain(place=place, template=TEMPLATE, expected=flows * LENGTH)
    contenders = [
        task.limit(variant="chain"),
        task.stepwell(variant="chain"),
        *task.other_limits(variant="chain"),
        *draining_peers(bench, place, flows, LENGTH - 1, variant="chain"),
    ]
    bench.compare(workload, place, contenders, size=f"{flows} flows of {LENGTH} steps")
