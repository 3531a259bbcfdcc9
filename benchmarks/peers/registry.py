"""Which peers there are, and how each is measured beside Stepwell.

A peer is measured where its environment is there (`make bench PEERS=1` makes them). Its clock
stops when its tables first show that no job is left, looked at every 20 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.bench import Bench, Contender
from benchmarks.draining import BenchmarkBroken
from benchmarks.environments import Environment
from benchmarks.latency import waits, waits_within
from benchmarks.places import Place
from benchmarks.subject import Subject, race


@dataclass(frozen=True, slots=True)
class Entry(Environment):
    """A peer: where it keeps its jobs, and how many of them it gets at most."""

    store: str
    most: int = 1_000_000

    def subject(self, job: str, *arguments: object) -> Subject:
        """A process of it that does one of the jobs of `peer.py`."""
        return Subject(f"benchmarks.peers.{self.name}", [job, *arguments], self.python)

    def prepared(self, place: Place, jobs: int, left: int = 0) -> str:
        """The template with its tables and so many jobs, each with so many after it."""
        template = f"{self.name} {jobs} {left}"
        place.fill(template, lambda address: race([self.subject("fill", address, jobs, left)]))
        return template

    def contender(self, run: Callable[[], float | dict[str, float]], **more: str) -> Contender:
        """With its name and version."""
        versions = {self.name: self.version}
        return Contender(system=self.name, run=run, versions=versions, **more)


ENTRIES: Final = (
    Entry("pgqueuer", "postgresql"),
    Entry("oban", "postgresql"),
    Entry("procrastinate", "postgresql", most=2000),
    Entry("dbos", "postgresql", most=2000),
    Entry("huey", "sqlite", most=10_000),
)
"""The slow ones get fewer jobs: their speed does not depend on how many wait."""


def present(bench: Bench, place: Place) -> Iterator[Entry]:
    """The peers of a place whose environments are there, if peers are wanted."""
    for entry in ENTRIES if bench.peers else ():
        if entry.store != place.kind:
            continue
        if entry.python.exists():
            yield entry
        else:
            bench.say(f"{entry.name} is not installed, and left out")


def draining_peers(
    bench: Bench, place: Place, jobs: int, left: int = 0, processes: int = 1, variant: str = ""
) -> Iterator[Contender]:
    """Emptying: so many jobs, each with so many after it."""
    for entry in present(bench, place):
        wanted = min(jobs, entry.most)
        run = partial(drained, entry, place, wanted, left, processes)
        yield entry.contender(run, variant=variant, note=f"{wanted:,} jobs" * (wanted < jobs))


def drained(entry: Entry, place: Place, jobs: int, left: int, processes: int) -> float:
    """Jobs per second.

    Raises
    ------
    BenchmarkBroken : another number of handlers was called.
    """
    address = place.fresh(entry.prepared(place, jobs, left))
    expected = jobs * (left + 1)
    try:
        subjects = [entry.subject("drain", address) for _ in range(processes)]
        began, told = race(subjects)
    finally:
        place.drop(address)
    found = [one["found"] for one in told]
    if sum(one["calls"] for one in found) != expected:
        raise BenchmarkBroken(f"{entry.name}: {found}, expected {expected} calls.")
    ended: float = min(one["ended"] for one in found)
    return expected / (ended - began)


def adding_peers(
    bench: Bench, place: Place, way: str, jobs: int, *callers: int
) -> Iterator[Contender]:
    """Adding, by `single` calls or in `bulk`."""
    for entry in present(bench, place):
        wanted = min(jobs, entry.most)
        run = partial(added, entry, place, way, wanted, *callers)
        yield entry.contender(run, variant=way, note=f"{wanted:,} jobs" * (wanted < jobs))


def added(entry: Entry, place: Place, way: str, jobs: int, *callers: int) -> float:
    """Jobs per second."""
    address = place.fresh(entry.prepared(place, 0))
    try:
        _, [told] = race([entry.subject(way, address, jobs, *callers)])
    finally:
        place.drop(address)
    seconds: float = told["ended"] - told["began"]
    return jobs / seconds


def latency_peers(bench: Bench, place: Place, jobs: int, apart: float) -> Iterator[Contender]:
    """Waiting for jobs that come one by one."""
    for entry in present(bench, place):
        yield entry.contender(partial(latency, entry, place, jobs, apart))


def own_latency_peers(
    bench: Bench, place: Place, jobs: int, apart: float, variant: str
) -> Iterator[Contender]:
    """The same in one program."""
    for entry in present(bench, place):
        yield entry.contender(partial(own_latency, entry, place, jobs, apart), variant=variant)


def own_latency(entry: Entry, place: Place, jobs: int, apart: float) -> dict[str, float]:
    """Median and 99th percentile in ms, where one program adds the jobs and runs them."""
    address = place.fresh(entry.prepared(place, 0))
    try:
        return waits_within(entry.subject("both", address, jobs, apart), jobs)
    finally:
        place.drop(address)


def latency(entry: Entry, place: Place, jobs: int, apart: float) -> dict[str, float]:
    """Median and 99th percentile in ms."""
    address = place.fresh(entry.prepared(place, 0))
    try:
        listener = entry.subject("listen", address, jobs)
        return waits(listener, entry.subject("trickle", address, jobs, apart), jobs)
    finally:
        place.drop(address)
