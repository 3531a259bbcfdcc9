"""How a batch is filled from four priority bands so that none starves (R18).

The k-th waiting row of a band of weight w gets the virtual time (k - skew) / w,
and rows are taken in the order of that time. With every skew 0 a batch of 15
takes 8, 4, 2 and 1; a skew drawn afresh for each claim lets even batches of one
row reach every band, in those proportions over time. The SQL stores compute the
same expression in their claim statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar

from stepwell.step import Priority


class Ranked(Protocol):
    """What decides the order of claims; time and id only need to sort."""

    @property
    def id(self) -> Any:
        """Decides between rows of one instant."""

    @property
    def priority(self) -> int:
        """The band: a `Priority`, or its number."""

    @property
    def schedule_time(self) -> Any:
        """Since when it is due."""


R = TypeVar("R", bound=Ranked)

WEIGHTS: Final[dict[Priority, int]] = {
    Priority.URGENT: 8,
    Priority.HIGH: 4,
    Priority.NORMAL: 2,
    Priority.LOW: 1,
}


def fair_fill(due: Iterable[R], limit: int, skew: Sequence[float]) -> list[R]:
    """At most `limit` of the due steps, by weight between bands, oldest first within one."""
    places: dict[int, int] = dict.fromkeys(Priority, 0)
    ranked: list[tuple[float, int, R]] = []
    for step in sorted(due, key=lambda one: (one.schedule_time, one.id)):
        places[step.priority] += 1
        virtual = (places[step.priority] - skew[step.priority]) / WEIGHTS[Priority(step.priority)]
        ranked.append((virtual, step.priority, step))
    ranked.sort(key=lambda item: item[:2])
    return [step for _, _, step in ranked[:limit]]
