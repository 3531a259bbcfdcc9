"""How much an engine takes in at once, and from where: all its queues share the workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias

from stepwell.clock import Clock
from stepwell.engine.front import Front
from stepwell.engine.held import Held, Holding
from stepwell.engine.limits import LimitedClaims
from stepwell.step import Step
from stepwell.stores.protocol import Claimed, ClaimRequest, Transaction

AskLimited: TypeAlias = Callable[[int, str, str | None], Claimed]
"""Makes a limited claim: of at most so many rows, from `Claimed.beyond` on, of one queue or
of all (None)."""


SMOOTHING: Final = 0.05
"""The weight of the last handler in the average."""
STRIDE: Final = 1.1
"""The factor by which one handler moves the median."""


def smoothed(average: float, seconds: float, weight: float = SMOOTHING) -> float:
    """The average after one more handler, always above zero.

    To be given one reading: many threads move an average, and a sum of two readings of it can
    be below zero, which would mean that there is never room for a step again.
    """
    return average + (seconds + 1e-5 - average) * weight


def moved(median: float, seconds: float) -> float:
    """The median after one more handler: a tenth nearer to it, however far it is."""
    return median * STRIDE if seconds + 1e-5 > median else median / STRIDE


class Limits(Protocol):
    """When to claim limited rows: `LimitedClaims`, or one of them per queue."""

    def first(self) -> bool:
        """Before an ordinary claim; whether some were taken."""
        ...

    def also(self, claimed: Claimed, *, alone: bool = False) -> Claimed:
        """After an ordinary claim: what both gave."""
        ...


class Intake:
    """Any due step may take any free worker.

    Parameters
    ----------
    workers : how many handlers run at once, at most.
    clock : the engine's.
    """

    is_whole: bool = True
    """Whether a claim asks for all queues at once, so that two may be made side by side."""

    def __init__(self, workers: int, clock: Clock) -> None:
        self._workers, self._front = workers, Front(clock)
        self.held = Held()
        """The book of what was taken in."""

    @property
    def idle(self) -> int:
        """How many workers have nothing to do; below zero, for how many steps there is none."""
        return self._workers - self.held.running - self.held.waiting

    def room(self, average: float, seconds: float, most: int, taken: Sequence[Holding]) -> int:
        """For how many steps there is room now: one per free worker, and some ahead.

        Parameters
        ----------
        average : seconds that a handler has taken lately.
        seconds, most : how much work is claimed ahead, and how many steps at most.
        taken : steps that run soon and are not among those that wait yet.
        """
        return self.idle + min(int(self._workers * seconds / average), most) - len(taken)

    def has_room_for(self, step: Step) -> bool:
        """Whether a spawned step may be taken over as one of those that there is room for."""
        return True

    def claim(self, tx: Transaction, request: ClaimRequest, *, beside: bool = False) -> Claimed:
        """Claim what is asked for; `beside` as for `Front.claim`."""
        return self._front.claim(tx, request, beside=beside)

    def limited(self, clock: Clock, ask: AskLimited, average: Callable[[], float]) -> Limits:
        """What decides when to claim limited rows."""
        return LimitedClaims(
            clock,
            ask=lambda limit, beyond: ask(limit, beyond, None),
            free=lambda: self.idle,
            workers=self._workers,
            average=average,
        )
