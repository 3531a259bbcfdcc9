"""W3 latency: an idle engine, one step every 50 ms from another process: added to started.

From the call that adds the step to the first line of its handler, both by the clock of the
machine: the commit that makes the step durable is inside.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from benchmarks.bench import Bench, Contender
from benchmarks.latency import waits
from benchmarks.peers.registry import latency_peers
from benchmarks.places import Place
from benchmarks.stores import with_steps
from benchmarks.subject import Subject

TEMPLATE: Final = "no steps"
APART: Final = 0.05
"""Seconds between two steps."""


def measure(bench: Bench) -> None:
    """On PostgreSQL and on SQLite."""
    for place in bench.places():
        place.fill(TEMPLATE, with_steps(list))
        steps = bench.sizes.beats
        contenders = [
            Contender(system="stepwell", run=partial(latency, place, steps)),
            *latency_peers(bench, place, steps, APART),
        ]
        bench.compare("W3", place, contenders, unit="ms", size=f"{steps} steps 50 ms apart")


def latency(place: Place, steps: int) -> dict[str, float]:
    """Median and 99th percentile in ms."""
    address = place.fresh(TEMPLATE)
    listener = Subject("benchmarks.subjects.stepwell_listen", [address, steps])
    adder = Subject("benchmarks.subjects.stepwell_trickle", [address, steps, APART])
    try:
        return waits(listener, adder, steps)
    finally:
        place.drop(address)
