"""The arithmetic of the ledger: what becomes of each due instant (R29, R30). Pure.

`judge` takes what is due and returns entries: every instant in exactly one,
each entry with the instant that follows it, so that the book is a chain.

What is *late*: an instant that nobody acted on within the grace, because no
server ticked. Late instants are counted as missed first; then the misfire
policy takes back the newest of them: none (skip), one (latest), or as many as
the cap allows (all). The rest stays missed, so downtime is never hidden.

Before that comes what nobody wanted to run: instants of a pause, those that
somebody asked to skip, and those on a day that a calendar excludes. They are
skipped, whenever they are looked at, and count for neither policy.

The overlap policy then decides about those that are to run. `queue` and
`replace` never let two runs overlap: the instant is entered as queued, and its
run starts when the one before has ended (`replace` cancels that one first).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import chain, islice, pairwise
from typing import Final, TypeAlias

from stepwell.schedules.base import Misfire, Overlap, Schedule, iso
from stepwell.schedules.calendars import Exclusion, never


class Fate(StrEnum):
    """What became of a due instant; `CHANGED` marks where the schedule itself was changed."""

    RAN = "ran"
    QUEUED = "queued"
    SKIPPED = "skipped"
    MISSED = "missed"
    BLOCKED = "blocked"
    CHANGED = "changed"


class Why(StrEnum):
    """The reason beside a fate; blocked and changed entries have words of their own."""

    LATE = "late"
    WAITED = "waited"
    PAUSED = "paused"
    CALENDAR = "calendar"
    REQUEST = "on request"
    OVERLAP = "overlap"
    REPLACED = "replaced"
    QUEUE_FULL = "queue full"
    DOWN = "down"
    CAP = "cap"


ONE_RUN_EACH = frozenset({Fate.RAN, Fate.QUEUED, Fate.CHANGED})
"""Entries of these fates are never joined: each has, or awaits, a run of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the book: an instant, or consecutive ones of the same fate.

    Parameters
    ----------
    first, last : the due instants it covers, both included; aware UTC.
    count : how many; 0 for a mark, whose `last` is the due instant that the change
        withdrew (`first` itself if there was none).
    following : the due instant after the last one; None if there is no more.
    """

    first: datetime
    last: datetime
    count: int
    fate: Fate
    why: str | None
    following: datetime | None
    version: int = 1

    @property
    def withdrawn(self) -> datetime | None:
        """What a mark says was due until the change; None if nothing was."""
        return None if self.last == self.first else self.last

    @property
    def ends(self) -> datetime:
        """The latest instant that the entry speaks for: a mark's own, else the last due one."""
        return self.first if self.fate is Fate.CHANGED else self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits of one pass over a schedule.

    Parameters
    ----------
    grace : what is due for longer than this was missed.
    cap : at most so many late instants run (misfire 'all'), and so many may be queued.
    at_once : at most so many instants are judged in one pass, that is in one transaction.
    """

    grace: timedelta = timedelta(seconds=60)
    cap: int = 100
    at_once: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What holds for a schedule at the moment of the pass: now, its runs, what is not to run.

    Parameters
    ----------
    paused, paused_until : whether it is, and up to which instant (not included); None is
        until somebody resumes it.
    busy, queued : whether a run is active, and how many wait for it.
    skips : instant -> why, where somebody asked to skip it.
    excluded : what a calendar says of an instant.
    """

    now: datetime
    version: int = 1
    paused: bool = False
    paused_until: datetime | None = None
    busy: bool = False
    queued: int = 0
    skips: Mapping[datetime, str] = field(default_factory=dict)
    excluded: Exclusion = never


@dataclass(frozen=True, slots=True)
class Judgement:
    """The entries of one pass, oldest first, and what is due after them."""

    entries: tuple[Entry, ...]
    next_due: datetime | None

    def more(self, now: datetime) -> bool:
        """Whether something is still due, so that another pass is needed."""
        return self.next_due is not None and self.next_due <= now


@dataclass(frozen=True, slots=True)
class _Due:
    """A due instant, why it is not wanted (None: it is), the wanted ones behind it, the next.

    Those behind are due too, and counted up to the cap.
    """

    at: datetime
    unwanted: str | None
    behind: int
    following: datetime | None


_Unwanted: TypeAlias = Callable[[datetime], str | None]

_AHEAD: Final = 20_000
"""So far it is looked ahead for wanted instants behind unwanted ones."""


def judge(
    spec: Schedule, next_due: datetime, situation: Situation, rules: Rules | None = None
) -> Judgement:
    """What becomes of the instants from `next_due` up to now, in one bounded pass."""
    rules = rules or Rules()
    entries: list[Entry] = []
    unwanted = partial(_unwanted, situation)
    due = islice(_due(spec, next_due, situation.now, rules.cap, unwanted), rules.at_once)
    for one in due:
        entry = _entry(one, *_fate(one, spec, situation, rules), situation.version)
        situation = _after(entry, situation)
        both = joined(entries[-1], entry) if entries else None
        entries[-1:] = [both] if both else [*entries[-1:], entry]
    return Judgement(tuple(entries), entries[-1].following if entries else next_due)


def _unwanted(situation: Situation, at: datetime) -> str | None:
    until = situation.paused_until
    if situation.paused and (until is None or at < until):
        return Why.PAUSED
    if at in situation.skips:
        return situation.skips[at]
    return None if situation.excluded(at) is None else Why.CALENDAR


def _due(
    spec: Schedule, next_due: datetime, now: datetime, window: int, unwanted: _Unwanted
) -> Iterator[_Due]:
    fires = chain((next_due,), spec.fires(next_due))
    ahead: deque[tuple[datetime, str | None]] = deque()
    later, wanted = next(fires, None), 0
    while True:
        while later is not None and later <= now and wanted <= window and len(ahead) < _AHEAD:
            ahead.append((later, unwanted(later)))
            wanted += ahead[-1][1] is None
            later = next(fires, None)
        if not ahead:
            return
        at, why = ahead.popleft()
        wanted -= why is None
        yield _Due(at, why, wanted, ahead[0][0] if ahead else later)


def _entry(due: _Due, fate: Fate, why: str | None, version: int) -> Entry:
    return Entry(
        first=due.at,
        last=due.at,
        count=1,
        fate=fate,
        why=why,
        following=due.following,
        version=version,
    )


def _fate(due: _Due, spec: Schedule, situation: Situation, rules: Rules) -> tuple[Fate, str | None]:
    if due.unwanted is not None:
        return Fate.SKIPPED, due.unwanted
    late = situation.now - due.at > rules.grace
    if late and due.behind >= _taken_back(spec.misfire, rules):
        return Fate.MISSED, Why.CAP if spec.misfire is Misfire.ALL else Why.DOWN
    runs = Fate.RAN, Why.LATE if late else None
    return _overlapping(due, spec.overlap, situation, rules) or runs


def _taken_back(misfire: Misfire, rules: Rules) -> int:
    return {Misfire.SKIP: 0, Misfire.LATEST: 1, Misfire.ALL: rules.cap}[misfire]


def _overlapping(
    due: _Due, overlap: Overlap, situation: Situation, rules: Rules
) -> tuple[Fate, Why | None] | None:
    """The fate of an instant that is to run but must not now; None if it may."""
    if overlap is Overlap.REPLACE and due.behind:
        return Fate.SKIPPED, Why.REPLACED
    if overlap is Overlap.ALLOW or not (situation.busy or situation.queued):
        return None
    if overlap is Overlap.SKIP:
        return Fate.SKIPPED, Why.OVERLAP
    if overlap is Overlap.QUEUE and situation.queued >= rules.cap:
        return Fate.SKIPPED, Why.QUEUE_FULL
    return Fate.QUEUED, None


def _after(entry: Entry, situation: Situation) -> Situation:
    if entry.fate is Fate.RAN:
        return replace(situation, busy=True)
    if entry.fate is Fate.QUEUED:
        return replace(situation, queued=situation.queued + 1)
    return situation


def joined(earlier: Entry, later: Entry) -> Entry | None:
    """Both as one entry, if the later one follows with the same fate; else None."""
    same = (earlier.fate, earlier.why, earlier.version) == (later.fate, later.why, later.version)
    if not same or later.fate in ONE_RUN_EACH or earlier.following != later.first:
        return None
    count = earlier.count + later.count
    return replace(earlier, last=later.last, count=count, following=later.following)


def mark(
    at: datetime, previous: Entry | None, following: datetime | None, why: str, version: int
) -> Entry:
    """The entry of a change: from here on `following` is due, and what was due before is not.

    Its instant is made later than that of the entry before it, so that the book's
    order stays the order of time.
    """
    withdrawn = None
    if previous is not None:
        withdrawn = previous.following
        at = max(at, previous.ends + timedelta(microseconds=1))
    return Entry(
        first=at,
        last=withdrawn or at,
        count=0,
        fate=Fate.CHANGED,
        why=why,
        following=following,
        version=version,
    )


def breaks(entries: Iterable[Entry], next_due: datetime | None) -> Iterator[str]:
    """Where the book is not one chain, in words; `next_due` must follow its last entry."""
    book = list(entries)
    for entry in book:
        yield from _faults(entry)
    for one, other in pairwise(book):
        yield from _gap(one, other)
    if book and book[-1].following != next_due:
        yield (
            f"After {iso(book[-1].first)} the book expects {_said(book[-1].following)}, "
            f"but the schedule is due at {_said(next_due)}."
        )


def _faults(entry: Entry) -> Iterator[str]:
    if entry.fate is Fate.CHANGED:
        return
    if (entry.count == 1) != (entry.first == entry.last) or entry.count < 1:
        yield f"The entry of {iso(entry.first)} counts {entry.count}, up to {iso(entry.last)}."
    if entry.following is not None and entry.following <= entry.last:
        yield f"The entry of {iso(entry.first)} is followed by {iso(entry.following)}."


def _gap(one: Entry, other: Entry) -> Iterator[str]:
    expected = one.following
    found = other.withdrawn if other.fate is Fate.CHANGED else other.first
    if expected != found:
        yield (
            f"After {iso(one.first)} the book expects {_said(expected)}, but the entry of "
            f"{iso(other.first)} continues from {_said(found)}."
        )


def _said(instant: datetime | None) -> str:
    return "nothing more" if instant is None else iso(instant)
