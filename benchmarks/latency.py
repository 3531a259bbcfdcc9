"""From added to started: what a process tells of adding, and another, or the same, of starting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

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
    return _quantiles(asked, began, steps)


def waits_within(program: Subject, steps: int) -> dict[str, float]:
    """The same of one program, which tells both.

    Raises
    ------
    BenchmarkBroken : a step was never started.
    """
    with started([program]):
        program.go()
        found = program.result()["found"]
    return _quantiles(found["asked"], found["began"], steps)


def _quantiles(
    asked: Mapping[str, float], began: Mapping[str, float], steps: int
) -> dict[str, float]:
    if len(began) != steps:
        raise BenchmarkBroken(f"{len(began)} of {steps} steps were started.")
    taken = [(began[number] - asked[number]) * 1000 for number in asked]
    return {"p50": quantile(taken, 0.5), "p99": quantile(taken, 0.99)}


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of the values (0 to 1) does not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
