"""W4 chain: flows of ten steps, where each spawns the next."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench
from benchmarks.draining import limit, other_limits, stepwell
from benchmarks.handlers import state
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
    steps = flows * LENGTH
    chains = with_steps(lambda: (new_step("v1/chain", state(LENGTH - 1)) for _ in range(flows)))
    place.fill(TEMPLATE, chains)
    contenders = [
        limit(place, TEMPLATE, steps),
        stepwell(place, TEMPLATE, steps),
        *other_limits(place, TEMPLATE, steps),
    ]
    size = f"{flows} flows of {LENGTH} steps"
    bench.compare(workload, place, contenders, size=size, variant="chain, 1 process")
