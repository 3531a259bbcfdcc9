"""One run of benchmarks: its sizes, its places, and the comparing of systems in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Self, TypeAlias

from benchmarks.machine import versions
from benchmarks.places import Place, PostgresPlace, SQLitePlace
from benchmarks.results import Result, ratio

LIMIT: Final = "limit loop"
"""The system that the others' ratios refer to."""
STORES: Final = ("postgresql", "sqlite")


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


Figures: TypeAlias = float | Mapping[str, float]
"""What one run yields: a figure, or several by name (p50, p99)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A system, and how to run it once.

    `variant` tells what is special about this way of running it; its figures are compared
    with the limit's of the same variant, or else with the limit's of any.
    """

    system: str
    run: Callable[[], Figures]
    variant: str = ""
    note: str = ""
    versions: dict[str, str] = field(default_factory=dict)


Key: TypeAlias = tuple[str, str, str]
"""System, variant, and the figure's name."""


@dataclass
class Bench:
    """What a workload needs: where, how much, how often; and where its figures go.

    Parameters
    ----------
    rounds : how often each figure is taken; the systems take turns in each round.
    stores : where workloads of several stores are run.
    peers : whether other systems are measured too.
    say : told what goes on.
    """

    sizes: Sizes = Sizes()
    rounds: int = 5
    stores: tuple[str, ...] = STORES
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

    def places(self) -> Iterator[Place]:
        """The places of the stores that were asked for."""
        for kind in self.stores:
            yield self.postgres if kind == "postgresql" else self.sqlite

    def compare(
        self,
        workload: str,
        place: Place,
        contenders: Sequence[Contender],
        *,
        unit: str = "steps/s",
        size: str = "",
        rounds: int | None = None,
    ) -> None:
        """Let the contenders take turns, and note the figures of each."""
        figures: dict[Key, list[float]] = {}
        for _ in range(rounds or self.rounds):
            for one in contenders:
                for name, value in _named(one.run()).items():
                    figures.setdefault((one.system, one.variant, name), []).append(value)
                    self.say(f"{workload} {one.system} {one.variant} {name} {value:,.1f} {unit}")
        about = {(one.system, one.variant): one for one in contenders}
        for (system, variant, name), values in figures.items():
            contender = about[system, variant]
            self.note(
                place,
                Result(
                    workload=workload,
                    system=system,
                    store=place.kind,
                    variant=", ".join(filter(None, (variant, name))),
                    unit=unit,
                    size=size,
                    rounds=tuple(values),
                    ratio_to_limit=_ratio(values, _limits(variant, name, figures)),
                    note=contender.note,
                    versions=contender.versions,
                ),
            )

    def note(self, place: Place, result: Result) -> None:
        """Take a result in, with the versions of what it was measured on."""
        made = versions(**{place.kind: place.version})
        self.results.append(replace(result, versions=made | result.versions))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _named(figures: Figures) -> Mapping[str, float]:
    return figures if isinstance(figures, Mapping) else {"": figures}


def _limits(variant: str, name: str, figures: dict[Key, list[float]]) -> list[float] | None:
    of_the_limit = {key[1]: values for key, values in figures.items() if key[::2] == (LIMIT, name)}
    any_variant = next(iter(of_the_limit.values()), None)
    return of_the_limit.get(variant, any_variant)


def _ratio(values: Sequence[float], limits: Sequence[float] | None) -> float | None:
    return None if limits is None else ratio(values, limits)
