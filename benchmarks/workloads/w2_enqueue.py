"""W2 enqueue: single calls by 64 callers at once, each durable before it returns; and bulk."""

from __future__ import annotations

from functools import partial
from typing import Final

from benchmarks.bench import LIMIT, Bench, Contender
from benchmarks.draining import BenchmarkBroken
from benchmarks.peers.registry import adding_peers
from benchmarks.places import Place
from benchmarks.stores import client_at, with_steps
from benchmarks.subject import Subject, race

TEMPLATE: Final = "no steps"
CALLERS: Final = 64
COPY: Final = "benchmarks.subjects.plain_copy"


def measure(bench: Bench) -> None:
    """On PostgreSQL."""
    place, calls, steps = bench.postgres, bench.sizes.calls, bench.sizes.steps
    place.fill(TEMPLATE, with_steps(list))
    single = [stepwell(place, way, calls) for way in ("threads", "async")]
    single += adding_peers(bench, place, "single", calls, CALLERS)
    size = f"{calls:,} calls by {CALLERS} callers"
    bench.compare("W2", place, single, unit="adds/s", size=size)
    bulk = [
        Contender(system=LIMIT, variant="bulk", run=partial(added, place, COPY, steps)),
        stepwell(place, "bulk", steps),
        *adding_peers(bench, place, "bulk", steps),
    ]
    bench.compare("W2", place, bulk, unit="adds/s", size=f"{steps:,} steps in one call")


def stepwell(place: Place, way: str, steps: int) -> Contender:
    """Stepwell's client, used in one of its ways."""
    module = "benchmarks.subjects.stepwell_add"
    run = partial(added, place, module, steps, way, steps, CALLERS)
    return Contender(system="stepwell", variant=way, run=run)


def added(place: Place, module: str, expected: int, *arguments: object) -> float:
    """Steps per second of one subject that adds to a fresh, empty database.

    Raises
    ------
    BenchmarkBroken : another number of steps is there.
    """
    address = place.fresh(TEMPLATE)
    try:
        _, [told] = race([Subject(module, [address, *(arguments or (expected,))])])
        with client_at(address) as client:
            found = client.count().ready
    finally:
        place.drop(address)
    if found != expected:
        raise BenchmarkBroken(f"{module}: {found} of {expected} steps are there.")
    seconds: float = told["ended"] - told["began"]
    return expected / seconds
