"""W8 spread: the same number of workers in one, two and four processes."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench
from benchmarks.workloads.w1_drain import prepare

WORKERS: Final = 32


def measure(bench: Bench) -> None:
    """On PostgreSQL."""
    task = prepare(bench, bench.postgres)
    contenders = [
        contender
        for processes in (1, 2, 4)
        for contender in (
            task.limit(processes=processes),
            task.stepwell(workers=WORKERS // processes, processes=processes),
        )
    ]
    size = f"{task.expected:,} steps, {WORKERS} workers in all"
    bench.compare("W8", bench.postgres, contenders, size=size)
