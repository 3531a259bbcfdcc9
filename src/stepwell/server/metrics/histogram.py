"""Durations in buckets of a logarithmic scale, so that quantiles come from roll-ups.

Bucket k holds the durations in (GROWTH^(k-1), GROWTH^k] milliseconds, and stands
for the value in its middle that is never off by more than `RELATIVE_ERROR`. Two
histograms are merged by adding their counts. JSON: {"bucket": count}.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

GROWTH: Final = 1.05
RELATIVE_ERROR: Final = (GROWTH - 1) / (GROWTH + 1)
"""How far a quantile may be off, as a share of its value: 2.44 %."""

SHORTEST: Final = 0.001
"""Seconds; whatever takes less counts as this."""

Histogram: TypeAlias = Mapping[str, int]


def bucket(seconds: float) -> str:
    """The bucket of a duration in seconds."""
    milliseconds = max(seconds, SHORTEST) * 1000
    return str(math.ceil(math.log(milliseconds, GROWTH) - 1e-9))


def middle(key: str) -> float:
    """The duration in seconds that a bucket stands for."""
    return float(2 * GROWTH ** int(key) / (GROWTH + 1) / 1000)


def merged(histograms: Iterable[Histogram]) -> dict[str, int]:
    """One histogram with all the counts."""
    total: Counter[str] = Counter()
    for one in histograms:
        total.update(one)
    return dict(total)


def quantile(histogram: Histogram, share: float) -> float | None:
    """The duration in seconds that `share` (0 to 1) of all do not exceed; None if there are none.

    It is the value of rank ceil(share * n), within `RELATIVE_ERROR`.
    """
    wanted = max(1, math.ceil(share * sum(histogram.values()) - 1e-9))
    seen = 0
    for key in sorted(histogram, key=int):
        seen += histogram[key]
        if seen >= wanted:
            return middle(key)
    return None
