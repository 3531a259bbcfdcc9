"""Which limited rows a claim may take (R20). Pure, and the same for every store.

A store finds *contenders*: due, unclaimed rows with a limit or rate key, each with what
is known of its keys. `allot` goes through them in fair order (R18) and takes each that
finds a free slot and an open rate. Slots are counted from claimed rows; a rate is one
instant per key, moved on by the interval for each row that is taken.

A rate is even: one step per interval, `period / slots`. Where intervals are shorter than
`CATCH_UP`, an engine would have to claim once per interval; it may instead take what the
rate allowed within the last `CATCH_UP` seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from stepwell.stores.fairness import fair_fill

CATCH_UP: Final = 0.1
"""Seconds for which a rate that was not used up may be caught up."""

JUMP: Final = timedelta(seconds=1)
"""A rate is closed for one interval. Where it is for so much longer, the store's clock has been
set back since, and what it showed before counts for nothing."""

KEYS_AT_ONCE: Final = 256
"""How many pairs of name and keys a limited claim looks at; the next one goes on from there."""


class Contender(NamedTuple):
    """A due, unclaimed row with a limit or rate key, and what its keys' controls say.

    `held` counts the claimed rows of its limit key. `slots`, and `rate_count`,
    `rate_period` (in seconds) and `next_free_at`, are those of the controls, or None.
    """

    id: Any
    name: str
    priority: int
    schedule_time: Any
    limit_key: str | None
    limit_slots: int | None
    rate_key: str | None
    suspect: bool
    held: int = 0
    slots: int | None = None
    rate_count: int | None = None
    rate_period: float | None = None
    next_free_at: datetime | None = None


@dataclass(slots=True)
class Allotted:
    """What a claim may take, in the order of R18.

    Parameters
    ----------
    moved : the new `next_free_at` of each rate that was used.
    next_due : when a rate lets the next row go that needs nothing else.
    more : some that could be taken are left, for the claim asked for no more.
    suspect_due : a suspect that could be taken alone is left (R15).
    """

    taken: list[Contender] = field(default_factory=list)
    moved: dict[str, datetime] = field(default_factory=dict)
    next_due: datetime | None = None
    more: bool = False
    suspect_due: bool = False


def allot_apart(
    contenders: Iterable[Contender],
    limit: int,
    skew: Sequence[float],
    now: datetime,
    *,
    alone: bool,
) -> Allotted:
    """As `allot`, of all rows but the suspects; `alone`: one of the suspects (R15)."""
    every = list(contenders)
    suspects = [one for one in every if one.suspect]
    if alone:
        given = allot(suspects, 1, skew, now)
        given.suspect_due, given.more = given.more, False
        return given
    given = allot([one for one in every if not one.suspect], limit, skew, now)
    apart = allot(suspects, 1, skew, now)
    given.suspect_due = bool(apart.taken)
    given.next_due = earliest(given.next_due, apart.next_due)
    return given


def go_on_behind(looked_at: Iterable[str]) -> str:
    """Where the next claim goes on, after one that looked at these keys; empty at the end.

    The last of them may have more names than were looked at, so it is looked at again.
    """
    keys = sorted(looked_at)
    if len(keys) < KEYS_AT_ONCE:
        return ""
    return max((key for key in keys if key < keys[-1]), default=keys[-1])


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of those that are known."""
    return min((one for one in instants if one is not None), default=None)


def allot(
    contenders: Iterable[Contender], limit: int, skew: Sequence[float], now: datetime
) -> Allotted:
    """Take at most `limit` rows; `now` is store time, `skew` as in `stores.fairness`."""
    given, book = Allotted(), _Book(now)
    every = list(contenders)
    for one in fair_fill(every, len(every), skew):
        if not book.has_slot(one):
            continue
        free_at = book.free_at(one)
        if free_at > now:
            given.next_due = earliest(given.next_due, free_at)
        elif len(given.taken) >= limit:
            given.more = True
        else:
            book.take(one)
            given.taken.append(one)
    given.moved = book.moved
    return given


class _Book:
    """Slots and rates while rows are taken."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._held: dict[str, int] = {}
        self.moved: dict[str, datetime] = {}

    def has_slot(self, one: Contender) -> bool:
        if one.limit_key is None:
            return True
        slots = (one.limit_slots or 1) if one.slots is None else one.slots
        return self._held.get(one.limit_key, one.held) < slots

    def free_at(self, one: Contender) -> datetime:
        """When its rate is open; at once if nobody has said how fast its key may go."""
        if one.rate_key is None or one.rate_count is None:
            return self._now
        if one.rate_key in self.moved:
            return self.moved[one.rate_key]
        spacing = _spacing(one)
        first = self._now - spacing * (CATCH_UP // spacing.total_seconds())
        closed = one.next_free_at
        if closed is None or closed > self._now + spacing + JUMP:
            return first
        return max(closed, first)

    def take(self, one: Contender) -> None:
        if one.rate_key is not None and one.rate_count is not None:
            self.moved[one.rate_key] = self.free_at(one) + _spacing(one)
        if one.limit_key is not None:
            self._held[one.limit_key] = self._held.get(one.limit_key, one.held) + 1


def _spacing(one: Contender) -> timedelta:
    return timedelta(seconds=max((one.rate_period or 0.0) / (one.rate_count or 1), 1e-6))
