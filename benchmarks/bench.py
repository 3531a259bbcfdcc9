"""One run of benchmarks: its sizes, its places, and the comparing of systems in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Self

from benchmarks.machine import versions
from benchmarks.places import Place, PostgresPlace, SQLitePlace
from benchmarks.results import Result, ratio

LIMIT: Final = "limit loop"
"""The system that the others' ratios refer to."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much work the workloads are; by default what the goals are stated for.

    steps : of a drain and of a bulk (W1, W2, W5 to W8). flows : chains of ten steps (W4, W5).
    calls : single adds (W2). beats : steps one after another, 50 ms apart (W3).
    history, future, foreign : rows that are in the way (W6).
    idle : seconds (W9). minutes : of endurance (W10).
    """

    steps: int = 50_000
    flows: int = 200
    calls: int = 10_000
    beats: int = 400
    history: int = 5_000_000
    future: int = 1_000_000
    foreign: int = 200_000
    idle: float = 60.0
    minutes: float = 20.0


SMOKE: Final = Sizes(
    steps=300,
    flows=5,
    calls=64,
    beats=5,
    history=1000,
    future=500,
    foreign=200,
    idle=1.0,
    minutes=0.05,
)
"""Seconds of work: whether the workloads run, and nothing about speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A system, and how to get one figure out of it."""

    system: str
    run: Callable[[], float]
    note: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass
class Bench:
    """What a workload needs: where, how much, how often; and where its figures go.

    Parameters
    ----------
    rounds : how often each figure is taken; the systems take turns in each round.
    stores : the kinds of store to measure on.
    peers : whether other systems are measured too.
    say : told what goes on.
    """

    sizes: Sizes = Sizes()
    rounds: int = 5
    stores: tuple[str, ...] = ("postgresql", "sqlite")
    peers: bool = False
    say: Callable[[str], None] = print
    results: list[Result] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = ExitStack()

    @cached_property
    def postgres(self) -> PostgresPlace:
        """The server; it starts when it is first asked for."""
        return self._open.enter_context(PostgresPlace())

    @cached_property
    def sqlite(self) -> SQLitePlace:
        """The folder of files."""
        return self._open.enter_context(SQLitePlace())

    def place(self, kind: str) -> Place:
        """The place of a kind of store."""
        return self.postgres if kind == "postgresql" else self.sqlite

    def places(self) -> Iterable[Place]:
        """All places that were asked for."""
        return map(self.place, self.stores)

    def compare(
        self,
        workload: str,
        place: Place,
        contenders: Sequence[Contender],
        *,
        unit: str = "steps/s",
        size: str = "",
        variant: str = "",
        rounds: int | None = None,
    ) -> None:
        """Let the contenders take turns, and note the figures of each."""
        figures: dict[str, list[float]] = {one.system: [] for one in contenders}
        for _ in range(rounds or self.rounds):
            for one in contenders:
                figures[one.system].append(one.run())
                self.say(
                    f"{workload} {variant} {one.system}: {figures[one.system][-1]:,.1f} {unit}"
                )
        made = versions(**{place.kind: place.version})
        for one in contenders:
            self.results.append(
                Result(
                    workload=workload,
                    system=one.system,
                    store=place.kind,
                    variant=variant,
                    unit=unit,
                    size=size,
                    rounds=tuple(figures[one.system]),
                    ratio_to_limit=_to_limit(one.system, figures),
                    note=one.note,
                    versions=made | one.versions,
                )
            )

    def note(self, result: Result, place: Place) -> None:
        """A figure that was taken otherwise."""
        self.say(f"{result.workload} {result.variant} {result.system}: {result.rounds}")
        made = versions(**{place.kind: place.version})
        self.results.append(replace(result, versions=made | result.versions))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _to_limit(system: str, figures: dict[str, list[float]]) -> float | None:
    limits = figures.get(LIMIT)
    return None if limits is None else ratio(figures[system], limits)
