"""W1 drain: waiting one-step flows, a state of 100 bytes, a handler that does nothing."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench
from benchmarks.draining import Drain, in_words
from benchmarks.handlers import state
from benchmarks.peers.registry import draining_peers
from benchmarks.places import Place
from benchmarks.stores import with_steps
from stepwell import new_step

TEMPLATE: Final = "one-step flows"


def measure(bench: Bench) -> None:
    """On PostgreSQL, by one process and by two."""
    drain(bench, "W1", bench.postgres)


def drain(bench: Bench, workload: str, place: Place) -> None:
    """The drain on any place."""
    task = prepare(bench, place)
    for processes in (1, 2):
        contenders = [
            task.limit(processes=processes),
            task.stepwell(processes=processes),
            *task.other_limits(processes=processes),
            *draining_peers(
                bench, place, task.expected, processes=processes, variant=in_words(processes)
            ),
        ]
        bench.compare(workload, place, contenders, size=f"{task.expected:,} steps")


def prepare(bench: Bench, place: Place) -> Drain:
    """Fill the template."""
    steps = bench.sizes.steps
    place.fill(TEMPLATE, with_steps(lambda: (new_step("v1/noop", state()) for _ in range(steps))))
    return Drain(place=place, template=TEMPLATE, expected=steps)
