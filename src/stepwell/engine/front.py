"""Where due rows begin: what ended before is not read again by each claim.

On a store that keeps versions (PostgreSQL), the rows of steps that have ended stay in the index
of claims until vacuum comes, once a minute as a rule; a claim that reads due rows from the first
on passes over all of them. So a look at all rows notes where due rows began, and the claims of
the next moment read from there. What comes to stand before that place meanwhile - a step given
back, one whose maker's clock is late - is found by the next look at all.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from stepwell.clock import Clock
from stepwell.stores.allotment import earliest
from stepwell.stores.protocol import Claimed, ClaimRequest, Position, Transaction

LASTS: Final = 3e-7
"""Seconds for which claims begin at the place, for each step that was claimed lately: that many
ended rows are in the way, and to pass over one takes a tenth of this."""
LONGEST: Final = 1.0
"""Seconds for which claims begin at the place, at most."""
LATELY: Final = 60.0
"""Seconds after which autovacuum looks again, by default."""
MARGIN: Final = timedelta(seconds=1)
"""So much earlier than the first due row claims begin: clocks differ, and commits take time."""
BACKLOG: Final = timedelta(seconds=10)
"""A first row that has been due for so long needs no margin: nothing new comes before it."""
_FIRST_ID: Final = UUID(int=0)


class Front:
    """Makes the claims of one engine; safe to use from several threads.

    Parameters
    ----------
    clock : the engine's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begins: Position | None = None
        self._until = float("-inf")
        self._claimed, self._counted = 0.0, clock.monotonic()

    def claim(self, tx: Transaction, request: ClaimRequest) -> Claimed:
        """Claim what is asked for, from the first due row on, or from where they began lately."""
        if request.alone or request.limit <= 0:
            return tx.claim(request)  # of due rows in general it sees nothing
        now, begins = self._clock.monotonic(), self._begins
        since = begins if now < self._until else None
        claimed = tx.claim(replace(request, since=since) if since else request)
        self._count(now, len(claimed.steps))
        if claimed.whole:
            self._note(now, claimed)
            return claimed
        soon = self._clock.now() + timedelta(seconds=max(self._until - now, 0))
        return replace(claimed, next_due=earliest(claimed.next_due, soon))

    def _count(self, now: float, claimed: int) -> None:
        """How many were claimed lately; what was claimed before counts less and less."""
        fades = math.exp((self._counted - now) / LATELY)
        self._claimed, self._counted = self._claimed * fades + claimed, now

    def _note(self, now: float, claimed: Claimed) -> None:
        if claimed.front is not None:
            self._begins = _with_margin(claimed.front, self._clock.now())
        elif claimed.steps:  # of several lanes, which have to be weighed against each other
            self._begins = None
        self._until = now + min(self._claimed * LASTS, LONGEST)


def _with_margin(front: Position, now: datetime) -> Position:
    if now - front.schedule_time > BACKLOG:
        return front
    return Position(front.schedule_time - MARGIN, _FIRST_ID)
