"""Windows to come in which more is due than there are slots for, else those with most.

Who would wait, and for how long, is played through: each run begins when a slot is free,
in the order in which they are due, and takes as long as half of the workflow's runs do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from stepwell.server.runs.service import RunLimit
from stepwell.server.schedules.previews.service import length
from stepwell.server.schedules.strip.records import Busy, Load

Key: TypeAlias = tuple[str, str]
"""What slots are counted by: a kind, and a name of it."""

_QUARTER: Final = timedelta(minutes=15)
_BUSY: Final = 0.8
_SHOWN: Final = 3
_SHORTEST: Final = 60.0
"""Who waits for less than so many seconds is not spoken of."""


class Going(NamedTuple):
    """A run that went on, goes on or is expected; what it may need slots of."""

    begin: datetime
    seconds: float
    group: str
    pool: str | None


def sizes(limits: Iterable[RunLimit]) -> dict[Key, int]:
    """The slots of pools and groups."""
    return {
        (str(one.kind), one.name): one.slots
        for one in limits
        if str(one.kind) in ("pool", "group") and one.slots > 0
    }


def keys(group: str, pool: str | None) -> list[Key]:
    """What a run may need slots of."""
    return [("group", group)] if pool is None else [("group", group), ("pool", pool)]


def windows(coming: Sequence[Going], sizes: Mapping[Key, int], fine: Sequence[Load]) -> list[Busy]:
    """The three windows with the longest waits, by time; the busiest ones where nobody waits."""
    due: dict[Key, list[Going]] = {key: [] for key in sizes}
    for one in coming:
        for key in keys(one.group, one.pool):
            if key in due:
                due[key].append(one)
    full = [one for key, slots in sizes.items() for one in _full(due[key], key, slots)]
    longest = sorted(full, key=lambda one: (-one.wait, one.begin))[:_SHOWN]
    return sorted(longest, key=lambda one: one.begin) or list(_busiest(fine))


def _full(due: Iterable[Going], key: Key, slots: int) -> Iterator[Busy]:
    """Windows in which runs wait for a slot, from the first that waits to when none does."""
    ends: list[datetime] = []
    window: list[tuple[datetime, datetime]] = []
    for one in sorted(due, key=lambda each: each.begin):
        while ends and ends[0] <= one.begin:
            heappop(ends)
        start = one.begin if len(ends) < slots else heappop(ends)
        heappush(ends, start + timedelta(seconds=one.seconds))
        if window and one.begin > window[-1][1]:
            yield from _told(window, key, slots)
            window = []
        if start > one.begin:
            window.append((one.begin, start))
    yield from _told(window, key, slots)


def _told(window: Sequence[tuple[datetime, datetime]], key: Key, slots: int) -> Iterator[Busy]:
    wait = max(((start - due).total_seconds() for due, start in window), default=0.0)
    if wait < _SHORTEST:
        return
    begin, end = window[0][0], max(start for _, start in window)
    due, (kind, name) = len(window) + slots, key
    said = f"{due} runs for {_slots(slots)} of the {kind} {name}; the last waits {length(wait)}."
    yield Busy(
        begin=begin,
        end=end,
        due=due,
        runs=due,
        kind=kind,
        name=name,
        slots=slots,
        wait=wait,
        text=f"{_when(begin, end)}: {said}",
    )


def _busiest(loads: Sequence[Load]) -> Iterator[Busy]:
    coming = [one for one in loads if one.expected]
    peak = max((one.runs for one in coming), default=0.0)
    if peak < 1:
        return
    found: list[list[Load]] = []
    for one in (each for each in coming if each.runs >= _BUSY * peak):
        if found and found[-1][-1].begin + _QUARTER == one.begin:
            found[-1].append(one)
        else:
            found.append([one])
    for window in found[:_SHOWN]:
        begin, end = window[0].begin, window[-1].begin + _QUARTER
        most = max(one.runs for one in window)
        yield Busy(
            begin=begin,
            end=end,
            due=sum(one.begins for one in window),
            runs=most,
            kind=None,
            name=None,
            slots=None,
            wait=0,
            text=f"{_when(begin, end)}: about {most:.0f} runs at once.",
        )


def _when(begin: datetime, end: datetime) -> str:
    return f"{begin:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"


def _slots(number: int) -> str:
    return f"{number} slot{'' if number == 1 else 's'}"
