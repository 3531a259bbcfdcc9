"""When an engine claims rows with a limit or rate key (R20): only into workers that are free.

An ordinary claim tells that such rows are due; another claim then asks for them. Where
nothing can be taken the engine waits to be woken, and does not ask again and again. Where
both kinds of rows are due all the time, each gets its share of the workers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from stepwell.clock import SYSTEM, Clock
from stepwell.stores.allotment import earliest
from stepwell.stores.protocol import Claimed

SHORTEST_PAUSE: Final = 0.002
LONGEST_PAUSE: Final = 0.05
"""Seconds between claims that gave nothing: they double from the one to the other."""
SOON: Final = 0.1
"""Where a worker gets free within so many seconds, some rows are claimed ahead of it, as of the
others: beside those there is none that is free."""


class LimitedClaims:
    """Decides when to ask for limited rows, and for how many.

    Parameters
    ----------
    ask : makes a limited claim of at most so many rows, from `Claimed.beyond` on.
    free : how many workers are free, less the steps that wait for one.
    workers : how many there are.
    average : seconds that a handler has taken lately.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        ask: Callable[[int, str], Claimed],
        free: Callable[[], int],
        workers: int,
        average: Callable[[], float],
    ) -> None:
        self._clock, self._ask, self._free = clock, ask, free
        self._workers, self._average = workers, average
        self._due = self._turn = False
        self._beyond = ""
        self._pause, self._not_before = SHORTEST_PAUSE, float("-inf")

    def first(self) -> bool:
        """Before an ordinary claim, and every other time: the limited rows' share.

        Returns whether some were taken.
        """
        self._turn = self._due and not self._turn
        share = self._share() if self._turn else 0
        return share > 0 and not self._waits() and bool(self._take(share).steps)

    def also(self, claimed: Claimed, *, alone: bool = False) -> Claimed:
        """After an ordinary claim: what it gave, and limited rows for workers still free.

        `limited_due` in the answer says that some could be there to take in a moment.
        """
        self._due = claimed.limited_due
        if not self._due or (alone and claimed.steps):
            return claimed
        free = 1 if alone else self._free()
        if free <= 0:
            return claimed
        waits = 0.0 if alone else self._waits()
        if waits:
            soon = self._clock.now() + timedelta(seconds=waits)
            return replace(claimed, next_due=earliest(claimed.next_due, soon))
        return both(claimed, self._take(free))

    def _share(self) -> int:
        ahead = self._workers // 4 or 1 if self._average() <= SOON * self._workers else 0
        return max((self._free() + 1) // 2, ahead)

    def _waits(self) -> float:
        return max(self._not_before - SYSTEM.monotonic(), 0.0)  # also where time is virtual

    def _take(self, limit: int) -> Claimed:
        claimed = self._ask(limit, self._beyond)
        self._beyond = claimed.beyond
        if claimed.steps:
            self._pause = SHORTEST_PAUSE
            return claimed
        self._not_before = SYSTEM.monotonic() + self._pause
        if claimed.limited_due:
            soon = self._clock.now() + timedelta(seconds=self._pause)
            claimed = replace(claimed, next_due=earliest(claimed.next_due, soon))
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return claimed


def both(ordinary: Claimed, limited: Claimed) -> Claimed:
    """The answer to an ordinary claim and to the limited one that came after it."""
    return Claimed(
        ordinary.steps + limited.steps,
        earliest(ordinary.next_due, limited.next_due),
        ordinary.suspect_due or limited.suspect_due,
        limited.limited_due,
        whole=ordinary.whole,
    )
