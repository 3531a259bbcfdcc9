"""Whether a share has risen by more than chance explains. Pure.

Fisher's exact test, one-sided: how likely so many or more of the hits fall into the
second sample, if both samples are of the same kind. It holds for small samples too,
where a normal distribution does not.
"""

from __future__ import annotations

import math
from typing import Final

_EXACT_UP_TO: Final = 20_000
"""Of so many trials in all the sum is exact; beyond, the normal distribution is as good."""


def chance(hits_before: int, before: int, hits_after: int, after: int) -> float:
    """How likely `hits_after` or more of `after` are hits by chance; 1 where nothing is known.

    Parameters
    ----------
    hits_before, before : hits among the trials of the first sample, and its trials.
    hits_after, after : those of the second sample.
    """
    if not before or not after:
        return 1.0
    if before + after > _EXACT_UP_TO:
        return _by_normal(hits_before / before, before, hits_after / after, after)
    return _exact(hits_before + hits_after, before, hits_after, after)


def _exact(hits: int, before: int, hits_after: int, after: int) -> float:
    everything = before + after
    denominator = _log_choose(everything, hits)
    total = 0.0
    for k in range(hits_after, min(hits, after) + 1):
        if hits - k <= before:
            total += math.exp(_log_choose(after, k) + _log_choose(before, hits - k) - denominator)
    return min(total, 1.0)


def _by_normal(share_before: float, before: int, share_after: float, after: int) -> float:
    shared = (share_before * before + share_after * after) / (before + after)
    spread = math.sqrt(shared * (1 - shared) * (1 / before + 1 / after))
    if not spread:
        return 1.0
    return 0.5 * math.erfc((share_after - share_before) / spread / math.sqrt(2))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
