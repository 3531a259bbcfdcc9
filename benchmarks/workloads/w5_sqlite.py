"""W5: the drain and the chains on SQLite, each commit on the disk (`synchronous=FULL`)."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.workloads.w1_drain import drain
from benchmarks.workloads.w4_chain import chain


def measure(bench: Bench) -> None:
    """Both, on SQLite."""
    drain(bench, "W5", bench.sqlite)
    chain(bench, "W5", bench.sqlite)
