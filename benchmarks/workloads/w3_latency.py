"""W3 latency: an idle engine, one step every 50 ms, from another process and from its own program.

From the call that adds the step to the first line of its handler, both by the clock of the
machine: the commit that makes the step durable is inside. A ratio above 1 is how many times the
plain loops' time it takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from benchmarks.bench import LIMIT, Bench, Contender
from benchmarks.latency import waits, waits_within
from benchmarks.peers.registry import latency_peers, own_latency_peers
from benchmarks.places import Place
from benchmarks.stores import with_steps
from benchmarks.subject import Subject

TEMPLATE: Final = "no steps"
APART: Final = 0.05
"""Seconds between two steps."""
OWN: Final = "one program"
"""The variant in which the engine's own program adds."""


def measure(bench: Bench) -> None:
    """On PostgreSQL and on SQLite."""
    for place in bench.places():
        place.fill(TEMPLATE, with_steps(list))
        steps = bench.sizes.beats
        contenders = [
            *limit(place, steps),
            Contender(system="stepwell", run=partial(latency, place, steps)),
            Contender(system="stepwell", run=partial(own_latency, place, steps), variant=OWN),
            *latency_peers(bench, place, steps, APART),
            *own_latency_peers(bench, place, steps, APART, OWN),
        ]
        bench.compare("W3", place, contenders, unit="ms", size=f"{steps} steps 50 ms apart")


def limit(place: Place, steps: int) -> Iterator[Contender]:
    """Two plain loops; on SQLite, which tells nobody of anything, there is no plain way."""
    if place.kind == "postgresql":
        loop = "benchmarks.limit_latency"
        run = partial(between, place, steps, (loop, "listen"), (loop, "trickle"))
        yield Contender(system=LIMIT, run=run)


def latency(place: Place, steps: int) -> dict[str, float]:
    """From a client's `add` to an engine's handler."""
    subjects = "benchmarks.subjects.stepwell_listen", "benchmarks.subjects.stepwell_trickle"
    return between(place, steps, *((one,) for one in subjects))


def own_latency(place: Place, steps: int) -> dict[str, float]:
    """From the `add` of an engine to its handler."""
    address = place.fresh(TEMPLATE)
    try:
        program = Subject("benchmarks.subjects.stepwell_both", [address, steps, APART])
        return waits_within(program, steps)
    finally:
        place.drop(address)


def between(
    place: Place, steps: int, listen: tuple[str, ...], trickle: tuple[str, ...]
) -> dict[str, float]:
    """Median and 99th percentile in ms. Both are a module and its first words."""
    address = place.fresh(TEMPLATE)
    listener = Subject(listen[0], [*listen[1:], address, steps])
    adder = Subject(trickle[0], [*trickle[1:], address, steps, APART])
    try:
        return waits(listener, adder, steps)
    finally:
        place.drop(address)
