"""The workloads W1 to W10, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.bench import Bench
from benchmarks.workloads import w1_drain, w4_chain, w5_sqlite

WORKLOADS: Final[dict[str, Callable[[Bench], None]]] = {
    "W1": w1_drain.measure,
    "W4": w4_chain.measure,
    "W5": w5_sqlite.measure,
}
