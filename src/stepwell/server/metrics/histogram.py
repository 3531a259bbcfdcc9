"""Durations in buckets of a logarithmic scale, so that quantiles come from roll-ups.

Bucket k holds the durations in (GROWTH^(k-1), GROWTH^k] milliseconds, and stands
for the value in its middle that is never off by more than `RELATIVE_ERROR`. Two
histograms are merged by adding their counts. JSON: {"bucket": count}.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
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
    return quantiles(histogram, (share,))[0]


def quantiles(histogram: Histogram, shares: Sequence[float]) -> list[float | None]:
    """The quantiles of several shares, as `quantile`; the histogram is sorted once."""
    total = sum(histogram.values())
    if not total:
        return [None] * len(shares)
    keys = sorted(map(int, histogram))
    upto = list(accumulate(histogram[str(key)] for key in keys))
    wanted = [max(1, math.ceil(share * total - 1e-9)) for share in shares]
    return [middle(str(keys[bisect_left(upto, rank)])) for rank in wanted]
