"""The workloads W1 to W10, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.bench import Bench
from benchmarks.workloads import (
    w1_drain,
    w2_enqueue,
    w3_latency,
    w4_chain,
    w5_sqlite,
    w6_history,
    w7_slow,
    w8_spread,
    w9_idle,
    w10_endurance,
)

WORKLOADS: Final[dict[str, Callable[[Bench], None]]] = {
    "W1": w1_drain.measure,
    "W2": w2_enqueue.measure,
    "W3": w3_latency.measure,
    "W4": w4_chain.measure,
    "W5": w5_sqlite.measure,
    "W6": w6_history.measure,
    "W7": w7_slow.measure,
    "W8": w8_spread.measure,
    "W9": w9_idle.measure,
    "W10": w10_endurance.measure,
}
