"""How a batch is filled from four priority bands so that none starves (R18).

The k-th waiting row of a band of weight w gets the virtual time (k - skew) / w,
and rows are taken in the order of that time. With every skew 0 a batch of 15
takes 8, 4, 2 and 1; a skew drawn afresh for each claim lets even batches of one
row reach every band, in those proportions over time. The SQL stores compute the
same expression in their claim statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from stepwell.step import Priority, Step

WEIGHTS: Final[dict[Priority, int]] = {
    Priority.URGENT: 8,
    Priority.HIGH: 4,
    Priority.NORMAL: 2,
    Priority.LOW: 1,
}


def fair_fill(due: Iterable[Step], limit: int, skew: Sequence[float]) -> list[Step]:
    """At most `limit` of the due steps, by weight between bands, oldest first within one."""
    places: dict[Priority, int] = dict.fromkeys(Priority, 0)
    ranked: list[tuple[float, int, Step]] = []
    for step in sorted(due, key=lambda one: (one.schedule_time, one.id)):
        places[step.priority] += 1
        virtual = (places[step.priority] - skew[step.priority]) / WEIGHTS[step.priority]
        ranked.append((virtual, step.priority, step))
    ranked.sort(key=lambda item: item[:2])
    return [step for _, _, step in ranked[:limit]]
