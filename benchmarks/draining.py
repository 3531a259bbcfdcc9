"""Emptying a database of its due steps, by any number of processes: the figure is steps/s.

The clock runs from the word to go until the last settlement, by the time that the store has
written on it; connecting, joining and the first look are inside. What is not done is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """What is to be emptied: a template at a place, with so many steps to come of it.

    `name` narrows the clock to the steps of that name; `expected` counts all.
    """

    place: Place
    template: str
    expected: int
    name: str | None = None

    def run(self, module: str, *arguments: object, processes: int = 1) -> float:
        """Steps per second of one drain of a fresh copy, by so many processes.

        Raises
        ------
        BenchmarkBroken : another number of steps is done.
        """
        address = self.place.fresh(self.template)
        try:
            began, _ = race([Subject(module, [address, *arguments]) for _ in range(processes)])
            found, _ = self.place.ended(address)
            counted, ended = self.place.ended(address, self.name)
        finally:
            self.place.drop(address)
        if found != self.expected:
            raise BenchmarkBroken(f"{module}: {found} of {self.expected} steps are done.")
        return counted / (ended - began)

    def limit(self, *, processes: int = 1, variant: str = "") -> Contender:
        """The limit loop of the place."""
        run = partial(self.run, LIMITS[self.place.kind], processes=processes)
        return Contender(system=LIMIT, run=run, variant=variant or in_words(processes))

    def other_limits(self, *, processes: int = 1, variant: str = "") -> Iterator[Contender]:
        """The variants of it."""
        for system, module in OTHER_LIMITS.items() if self.place.kind == "postgresql" else ():
            run = partial(self.run, module, processes=processes)
            yield Contender(system=system, run=run, variant=variant or in_words(processes))

    def stepwell(
        self, *, workers: int = 8, kind: str = "def", processes: int = 1, variant: str = ""
    ) -> Contender:
        """Engines, each in a process of its own."""
        module = "benchmarks.subjects.stepwell_drain"
        run = partial(self.run, module, workers, kind, processes=processes)
        return Contender(system="stepwell", run=run, variant=variant or in_words(processes))


def in_words(number: int) -> str:
    """So many processes."""
    return f"{number} process{'es' * (number > 1)}"
