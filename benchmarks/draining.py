"""Emptying a database of its due steps, by any number of processes: the figure is steps/s.

The clock runs from the word to go until the last settlement, by the time that the store has
written on it; connecting, joining and the first look are inside. What is not done is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from benchmarks.bench import LIMIT, Contender
from benchmarks.places import Place
from benchmarks.subject import Subject, race

LIMITS: Final = {
    "postgresql": "benchmarks.limit_loop_postgres",
    "sqlite": "benchmarks.limit_loop_sqlite",
}
OTHER_LIMITS: Final = {
    "limit loop, asyncpg": "benchmarks.limit_loop_asyncpg",
    "limit loop, locks held": "benchmarks.limit_loop_held",
}
"""On PostgreSQL, for information."""


class BenchmarkBroken(RuntimeError):
    """What was measured is not what was meant to be."""


def drained(
    place: Place, template: str, module: str, expected: int, *arguments: Any, processes: int = 1
) -> float:
    """Steps per second of one drain of a fresh copy of `template`.

    Parameters
    ----------
    module : the subject; gets the address and `arguments`.
    expected : how many steps must be done at the end.

    Raises
    ------
    BenchmarkBroken : another number of steps is done.
    """
    address = place.fresh(template)
    try:
        subjects = [Subject(module, [address, *arguments]) for _ in range(processes)]
        began, _ = race(subjects)
        found, ended = place.ended(address)
    finally:
        place.drop(address)
    if found != expected:
        raise BenchmarkBroken(f"{module}: {found} of {expected} steps are done.")
    return expected / (ended - began)


def limit(place: Place, template: str, expected: int, processes: int = 1) -> Contender:
    """The limit loop of the place."""
    run = partial(drained, place, template, LIMITS[place.kind], expected, processes=processes)
    return Contender(system=LIMIT, run=run)


def other_limits(
    place: Place, template: str, expected: int, processes: int = 1
) -> Iterator[Contender]:
    """The variants of it."""
    for system, module in OTHER_LIMITS.items() if place.kind == "postgresql" else ():
        run = partial(drained, place, template, module, expected, processes=processes)
        yield Contender(system=system, run=run)


def stepwell(
    place: Place,
    template: str,
    expected: int,
    *arguments: Any,
    processes: int = 1,
    system: str = "stepwell",
) -> Contender:
    """Engines, each in a process of its own."""
    module = "benchmarks.stepwell_engine"
    run = partial(drained, place, template, module, expected, *arguments, processes=processes)
    return Contender(system=system, run=run)
