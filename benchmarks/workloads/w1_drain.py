"""W1 drain: waiting one-step flows, a state of 100 bytes, a handler that does nothing."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.draining import limit, other_limits, stepwell
from benchmarks.handlers import state
from benchmarks.places import Place
from benchmarks.stores import with_steps
from stepwell import new_step

TEMPLATE = "one-step flows"


def measure(bench: Bench) -> None:
    """On PostgreSQL, by one process and by two."""
    drain(bench, "W1", bench.postgres)


def drain(bench: Bench, workload: str, place: Place) -> None:
    """The drain on any place."""
    steps = bench.sizes.steps
    prepare(bench, place)
    for processes in (1, 2):
        contenders = [
            limit(place, TEMPLATE, steps, processes),
            stepwell(place, TEMPLATE, steps, processes=processes),
            *other_limits(place, TEMPLATE, steps, processes),
        ]
        bench.compare(
            workload,
            place,
            contenders,
            size=f"{steps:,} steps",
            variant=f"drain, {processes} process{'es' * (processes > 1)}",
        )


def prepare(bench: Bench, place: Place) -> str:
    """The template of the drain."""
    one_step_flows = with_steps(
        lambda: (new_step("v1/noop", state()) for _ in range(bench.sizes.steps))
    )
    place.fill(TEMPLATE, one_step_flows)
    return TEMPLATE
