"""Which peers there are, what each can do, and how it is run."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench, Contender
from benchmarks.places import Place


def draining_peers(
    bench: Bench, place: Place, work: str, steps: int, processes: int = 1
) -> Iterator[Contender]:
    """Those that drain, or run chains."""
    yield from ()


def adding_peers(bench: Bench, place: Place, work: str, steps: int) -> Iterator[Contender]:
    """Those that add."""
    yield from ()


def latency_peers(bench: Bench, place: Place, steps: int) -> Iterator[Contender]:
    """Those that wait for steps."""
    yield from ()
