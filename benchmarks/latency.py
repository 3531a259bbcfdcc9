"""From added to started: what one process tells of adding, and another of starting."""

from __future__ import annotations

import math
from collections.abc import Iterable

from benchmarks.draining import BenchmarkBroken
from benchmarks.subject import Subject, started


def waits(listener: Subject, adder: Subject, steps: int) -> dict[str, float]:
    """From what adder and listener tell of each step.

    Raises
    ------
    BenchmarkBroken : a step was never started.
    """
    with started([listener, adder]):
        listener.go()
        adder.go()
        asked, began = adder.result()["found"], listener.result()["found"]
    if len(began) != steps:
        raise BenchmarkBroken(f"{len(began)} of {steps} steps were started.")
    taken = [(began[number] - asked[number]) * 1000 for number in asked]
    return {"p50": quantile(taken, 0.5), "p99": quantile(taken, 0.99)}


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of the values (0 to 1) does not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
