"""Where due rows begin: what ended before is not read again by each claim.

On a store that keeps versions (PostgreSQL), the rows of steps that have ended stay in the index
of claims until vacuum comes, once a minute as a rule; a claim that reads due rows from the first
on passes over all of them. So a look at all rows notes where due rows began, and the claims of
the next moment read from there, in each queue and band. What comes to stand before that place
meanwhile - a step given back, one whose maker's clock is late - is found by the next look at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Final
from uuid import UUID

from stepwell.clock import Clock
from stepwell.engine import bursts
from stepwell.frozen import changer
from stepwell.step import Priority
from stepwell.stores.allotment import earliest
from stepwell.stores.protocol import Claimed, ClaimRequest, Position, Transaction

LASTS: Final = 3e-7
"""Seconds for which claims begin at the place, for each step that was claimed lately: that many
ended rows are in the way, and to pass over one takes a tenth of this."""
LONGEST: Final = 1.0
"""Seconds for which claims begin at the place, at most."""
PASSING: Final = 0.05
"""The share of the time that may go into claims that pass over rows of foreign names."""
LONGEST_PASSING: Final = 10.0
"""Seconds for which claims begin behind such rows, at most."""
NOTHING: Final = bursts.LONGEST
"""Seconds for which nothing is due where nothing was: as long as a burst may last."""
LATELY: Final = 60.0
"""Seconds after which autovacuum looks again, by default."""
MARGIN: Final = timedelta(seconds=1)
"""So much earlier than the first due row claims begin: clocks differ, and commits take time."""
BACKLOG: Final = timedelta(seconds=10)
"""A first row that has been due for so long needs no margin: nothing new comes before it."""
_FIRST_ID: Final = UUID(int=0)
_changed: Final = changer(ClaimRequest)


class Moment:
    """A time for which all due rows of some queues are looked at once.

    It is the same for all queues: when it is over, one round of claims looks at everything.
    """

    def __init__(self, until: float, *, parks: bool = False) -> None:
        self.until, self.parks = until, parks
        """When it is over, in seconds of the engine's clock; whether its claims park rows of
        foreign names before they pass over them."""
        self.flooded: set[tuple[str, ...]] = set()
        """The queues in which such rows were left."""
        self.since: dict[tuple[str, ...], tuple[Position, ...]] = {}
        """Where claims begin in each queue and band, by the queues that were looked at."""


class Front:
    """Makes the claims of one engine; safe to use from several threads.

    Parameters
    ----------
    clock : the engine's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._claimed, self._counted = 0.0, clock.monotonic()
        self._moment = Moment(self._counted)
        self._nothing_until: dict[tuple[str, ...], float] = {}

    def claim(self, tx: Transaction, request: ClaimRequest, *, beside: bool = False) -> Claimed:
        """Claim what is asked for, from the first due row on, or from where they began lately.

        Parameters
        ----------
        beside : other steps of this engine are run meanwhile; then where nothing was due a moment
            ago nobody looks again, and the answer says that there may be more.
        """
        began, now = self._clock.monotonic(), self._clock.now()
        if beside and began < (until := self._nothing_until.get(request.queues, began)):
            return Claimed(next_due=now + timedelta(seconds=until - began), whole=False)
        claimed = self._ask(tx, request, began, now)
        if _takes_none(request, claimed):
            self._nothing_until[request.queues] = began + _holds(claimed, now)
        return claimed

    def _ask(self, tx: Transaction, request: ClaimRequest, began: float, now: datetime) -> Claimed:
        moment = self._present(began)
        since = moment.since.get(request.queues)
        claimed = tx.claim(_changed(request, since=since, parks=moment.parks))
        self._count(began, len(claimed.steps))
        if claimed.front is not None:
            moment.since[request.queues] = tuple(_begins(request.queues, claimed, now))
        if not claimed.whole and (claimed.front is not None or since is None):
            moment.flooded.add(request.queues)
            took = self._clock.monotonic() - began
            moment.until = max(moment.until, began + min(took / PASSING, LONGEST_PASSING))
        if request.queues in moment.flooded and _takes_none(request, claimed):
            # Nothing else is due: there is time to park them, when the other burst is over.
            moment.until = began if since is None else min(moment.until, began + NOTHING)
        if claimed.whole:
            return claimed
        over = now + timedelta(seconds=moment.until - began)
        return replace(claimed, next_due=earliest(claimed.next_due, over))

    def _present(self, now: float) -> Moment:
        if now >= self._moment.until:
            self._count(now, 0)
            until = now + min(self._claimed * LASTS, LONGEST)
            self._moment = Moment(until, parks=bool(self._moment.flooded))
        return self._moment

    def _count(self, now: float, claimed: int) -> None:
        """How many were claimed lately; what was claimed before counts less and less."""
        fades = math.exp((self._counted - now) / LATELY)
        self._claimed, self._counted = self._claimed * fades + claimed, now


def _takes_none(request: ClaimRequest, claimed: Claimed) -> bool:
    return not claimed.steps and request.limit > 0 and not request.alone


def _holds(claimed: Claimed, now: datetime) -> float:
    """For how many seconds an answer without steps is believed."""
    if claimed.suspect_due or claimed.limited_due:
        return 0.0
    due = claimed.next_due
    return NOTHING if due is None else min((due - now).total_seconds(), NOTHING)


def _begins(queues: Iterable[str], claimed: Claimed, now: datetime) -> Iterator[Position]:
    """Where claims begin: where nothing was due, a moment ago; behind foreign rows, there."""
    first = {(one.queue, one.priority): one for one in claimed.front or ()}
    for lane in product(queues, Priority):
        begin = first.get(lane, Position(*lane, now, _FIRST_ID))
        is_backlog = now - begin.schedule_time > BACKLOG
        is_behind = lane in first and not claimed.whole
        yield begin if is_backlog or is_behind else _with_margin(begin)


def _with_margin(begin: Position) -> Position:
    return begin._replace(schedule_time=begin.schedule_time - MARGIN, id=_FIRST_ID)
