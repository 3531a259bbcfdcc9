"""What one engine holds: claims waiting to start, running, or waiting for their commit."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from stepwell.step import Claim, Step

MARK_AFTER: Final = 1.0
"""Seconds of running after which a step gets its started mark with the next beat (R15)."""


class Burst(Protocol):
    """What a step was claimed with: takes in its outcome, while it is open."""

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its steps."""
        ...

    def put(self, holding: Holding, ended: Any, /) -> bool:
        """A step has ended; False if its outcome is not taken in."""
        ...


@dataclass(slots=True, eq=False)
class Holding:
    """One claimed step, and under which engine id it was claimed.

    `by_lock` says that the claim was not written on the row but is a lock of the burst's
    transaction. `burst` is what it was claimed with, `links` how many steps before it in its
    chain were taken over in a row (R21).
    """

    step: Step
    engine_id: UUID
    since: float
    by_lock: bool = False
    burst: Burst | None = None
    links: int = 0
    running: bool = False
    interrupt: Callable[[], object] | None = None
    """Tells the handler that its outcome is no longer wanted."""

    @property
    def claim(self) -> Claim:
        """The fenced mark on the row."""
        return self.step.claim


class Line(Protocol):
    """The steps that wait, in the order in which they begin: a deque, or `shares.Lanes`."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Holding]: ...

    def append(self, holding: Holding, /) -> None:
        """Put it last."""
        ...

    def appendleft(self, holding: Holding, /) -> None:
        """Put it first."""
        ...

    def popleft(self) -> Holding:
        """Take out the first."""
        ...

    def extend(self, holdings: Iterable[Holding], /) -> None:
        """Put them last."""
        ...

    def clear(self) -> None:
        """Take out all."""
        ...


class Held:
    """The book of all claims of this engine. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[int, Holding] = {}  # by the id's number, which is quicker to find
        self._waiting: Line = deque()
        self._running = self._late = 0
        self._buried: set[UUID] = set()
        self._ousted: list[Holding] = []

    def __len__(self) -> int:
        return len(self._all)

    @property
    def running(self) -> int:
        """How many handlers are running now."""
        return self._running

    @property
    def awaited(self) -> int:
        """How many of them run whose outcome is still wanted: in time."""
        return self._running - self._late

    @property
    def waiting(self) -> int:
        """How many claimed steps have not started; with shares, of those that may start now."""
        return len(self._waiting)

    def has(self, step_id: UUID) -> bool:
        """Whether a claim on this step is held."""
        return step_id.int in self._all

    def accept(self, holdings: Iterable[Holding], *, first: bool = False) -> None:
        """Take in freshly claimed steps, unless the engine was buried while they came.

        What is held already under that number runs, or has run and is to be settled: it was
        claimed by a lock that was lost, and does not begin again (R14).

        `first` lets them run before those that wait already.
        """
        with self._lock:
            enqueue = self._waiting.appendleft if first else self._waiting.append
            for holding in holdings:
                if self._enter(holding):
                    enqueue(holding)

    def written(self, holdings: Iterable[Holding]) -> None:
        """Their claims stand on the rows now: the heartbeat may ask about them. What runs under
        a number that it had got by a lock that was lost may be held by an earlier holding."""
        with self._lock:
            for holding in holdings:
                holding.by_lock = False
                known = self._all.get(holding.step.id.int)
                if known is not None and known.step.claim_no == holding.step.claim_no:
                    known.by_lock = False

    def reserve(self, holdings: Iterable[Holding]) -> None:
        """Know of claims that are accepted later: they are no strangers."""
        with self._lock:
            for holding in holdings:
                self._enter(holding)

    def begin(self, at: float, slots: int) -> Holding | None:
        """The next step to run, if there is one and fewer than `slots` are running."""
        with self._lock:
            if self._running >= slots or not self._waiting:
                return None
            holding = self._waiting.popleft()
            holding.since, holding.running = at, True
            self._running += 1
            return holding

    def ended(self, holding: Holding) -> None:
        """The handler has returned; its outcome waits for the commit."""
        with self._lock:
            self._running -= 1
            holding.running = False

    def overran(self, holding: Holding) -> None:
        """Its time is over: its outcome is known, but it keeps its slot until it returns."""
        with self._lock:
            self._late += 1
            holding.running = False

    def returned(self, holding: Holding) -> None:
        """A handler whose time was over has returned: its slot is free."""
        with self._lock:
            self._running -= 1
            self._late -= 1

    def settled(self, holdings: Iterable[Holding]) -> None:
        """The store has answered, or nobody will ask it: they are held no more."""
        with self._lock:
            for holding in holdings:
                self._drop(holding)

    def give_back(self, waited_since: float) -> list[Holding]:
        """Take out what has waited unstarted since before `waited_since`, to be released.

        What an open burst has only locked is its own business: no claim on it is written.
        """
        with self._lock:
            late = [
                one
                for one in self._waiting
                if one.since < waited_since and not (one.by_lock and _is_open(one.burst))
            ]
            self._take_out(late)
            return late

    def withdraw(self, burst: Burst) -> list[Holding]:
        """Take out what came with a burst, has not started, and is claimed by a lock alone."""
        with self._lock:
            unstarted = [one for one in self._waiting if one.burst is burst and one.by_lock]
            self._take_out(unstarted)
            return unstarted

    def forget(self, engine_id: UUID) -> list[Holding]:
        """Drop every claim: this engine was declared dead. What runs, runs on unowned (R12).

        An answer to its last claim that comes in later counts for nothing (R11).
        """
        with self._lock:
            self._buried.add(engine_id)
            dropped = list(self._all.values())
            self._all.clear()
            self._waiting.clear()
            return dropped

    def strangers(self, claims: Iterable[Claim]) -> list[Claim]:
        """Those claims in the store's books that this engine knows nothing of (R13)."""
        with self._lock:
            return [claim for claim in claims if not self._knows(claim)]

    def holdings_running(self) -> list[Holding]:
        """Those whose handlers are running now."""
        with self._lock:
            return [one for one in self._all.values() if one.running]

    def long_running(self, now: float) -> list[Claim]:
        """Written claims that have been running for over a second: they get their mark (R15)."""
        with self._lock:
            return [
                one.claim
                for one in self._all.values()
                if one.running and not one.by_lock and now - one.since > MARK_AFTER
            ]

    def disown(self, claims: Iterable[Claim]) -> list[Holding]:
        """Drop claims that hold no more; those of them whose handlers still run."""
        with self._lock:
            lost = [self._all[one.step_id.int] for one in claims if self._knows(one)]
            running = [one for one in (*lost, *self._ousted) if one.running]
            self._ousted.clear()
            for holding in running:  # the others are being settled
                self._drop(holding)
            return running

    def _enter(self, holding: Holding) -> bool:
        """Whether it is held from now on."""
        number = holding.step.id.int
        if self._buried and holding.engine_id in self._buried:
            return False
        known = self._all.setdefault(number, holding)
        if known is holding:
            return True
        if known.step.claim_no == holding.step.claim_no:
            known.by_lock = known.by_lock and holding.by_lock
            return False
        self._ousted.append(known)  # taken away, and claimed here again
        self._all[number] = holding
        return True

    def _knows(self, claim: Claim) -> bool:
        holding = self._all.get(claim.step_id.int)
        return holding is not None and holding.step.claim_no == claim.claim_no

    def _take_out(self, holdings: list[Holding]) -> None:
        if holdings:
            gone = {id(one) for one in holdings}
            left = [one for one in self._waiting if id(one) not in gone]
            self._waiting.clear()
            self._waiting.extend(left)
            for holding in holdings:
                self._drop(holding)

    def _drop(self, holding: Holding) -> None:
        """A step may be held anew by the time an older claim on it is answered."""
        if self._all.get(holding.step.id.int) is holding:
            del self._all[holding.step.id.int]


def _is_open(burst: Burst | None) -> bool:
    return burst is not None and burst.is_open
