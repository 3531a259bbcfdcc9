"""Queues with shares of the workers: a flood of one takes nothing from another.

Each queue has a lane: so many of its steps run at once and no more, and it is claimed for by
itself, for as many as its lane has room. One transaction asks for all that have room.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import reduce
from itertools import chain
from typing import Final
from uuid import UUID

from stepwell.clock import Clock
from stepwell.engine.held import Held, Holding
from stepwell.engine.intake import AskLimited, Intake, smoothed
from stepwell.engine.limits import LimitedClaims
from stepwell.errors import InvalidInput
from stepwell.given import of_type
from stepwell.step import Step
from stepwell.stores.allotment import earliest
from stepwell.stores.protocol import Claimed, ClaimRequest, Transaction

LOOK_AGAIN: Final = 1.0
"""Seconds after which a full lane is looked at again, if nothing has ended there by then."""


@dataclass(slots=True, eq=False)
class Lane:
    """One queue's part of the engine.

    Parameters
    ----------
    share : how many of its steps run at once, at most.
    average : seconds that one has taken lately.
    room : how many more may be taken in with the present burst.
    asked, answer : whether the last claim asked for the queue, and what it said.
    """

    share: int
    waiting: deque[Holding] = field(default_factory=deque)
    running: int = 0
    average: float = 1.0
    room: int = 0
    asked: bool = False
    answer: Claimed = field(default_factory=Claimed)

    @property
    def held(self) -> int:
        """How many of its steps run or wait."""
        return self.running + len(self.waiting)

    @property
    def ready(self) -> int:
        """How many of those that wait may begin now."""
        return min(len(self.waiting), self.share - self.running)


class Lanes:
    """The steps that wait: what a deque is where there are no shares.

    Its length counts those that may begin; iterating goes over all.
    """

    def __init__(self, shares: Mapping[str, int]) -> None:
        self.by_queue = {queue: Lane(share) for queue, share in shares.items()}
        self._turns = deque(self.by_queue.values())

    def __len__(self) -> int:
        # Asked without a lock, so not by the turns, which another thread may be changing.
        return sum(lane.ready for lane in self.by_queue.values())

    def __iter__(self) -> Iterator[Holding]:
        return chain.from_iterable(lane.waiting for lane in self.by_queue.values())

    def append(self, holding: Holding) -> None:
        """It waits behind those of its queue."""
        self.of(holding).waiting.append(holding)

    def appendleft(self, holding: Holding) -> None:
        """It waits before those of its queue."""
        self.of(holding).waiting.appendleft(holding)

    def popleft(self) -> Holding:
        """The next to begin; the queues take turns. Only where there is one (`len`)."""
        lane = next(one for one in self._turns if one.ready > 0)
        self._turns.remove(lane)
        self._turns.append(lane)
        lane.running += 1
        return lane.waiting.popleft()

    def extend(self, holdings: Iterable[Holding]) -> None:
        """They wait behind those of their queues."""
        for holding in holdings:
            self.append(holding)

    def clear(self) -> None:
        """Nothing waits any more; what runs keeps its worker until it ends."""
        for lane in self.by_queue.values():
            lane.waiting.clear()

    def of(self, holding: Holding) -> Lane:
        """The lane that a step belongs to."""
        return self.by_queue[holding.step.queue]


class SharedHeld(Held):
    """The book of an engine whose queues have shares.

    Parameters
    ----------
    clock : the one that `begin` and `give_back` get their seconds from.
    """

    def __init__(self, lanes: Lanes, clock: Clock) -> None:
        super().__init__()
        self._waiting, self._lanes, self._clock = lanes, lanes, clock

    def ended(self, holding: Holding) -> None:
        """The handler has returned: its queue has a worker free again."""
        super().ended(holding)
        self._free(holding)

    def returned(self, holding: Holding) -> None:
        """So it has after its time was over."""
        super().returned(holding)
        self._free(holding)

    def give_back(self, waited_since: float) -> list[Holding]:
        """As without shares; of the queues concerned none is claimed ahead for a while."""
        late = super().give_back(waited_since)
        for lane in {self._lanes.of(holding) for holding in late}:
            lane.average = max(lane.average, LOOK_AGAIN)
        return late

    def _free(self, holding: Holding) -> None:
        seconds = self._clock.monotonic() - holding.since
        with self._lock:
            lane = self._lanes.of(holding)
            lane.running -= 1
            lane.average = smoothed(lane.average, seconds)


class SharedIntake(Intake):
    """A step takes a free worker if fewer than its queue's share are at work for the queue.

    Parameters
    ----------
    shares : how many of each queue's steps run at once, at most.
    workers : how many of all of them.
    """

    is_whole = False

    def __init__(self, shares: Mapping[str, int], workers: int, clock: Clock) -> None:
        super().__init__(workers, clock)
        lanes = Lanes(shares)
        self._lanes, self._turns, self._clock = lanes.by_queue, deque(shares), clock
        self._shares = sum(shares.values())
        self.held = SharedHeld(lanes, clock)

    def room(self, average: float, seconds: float, most: int, taken: Sequence[Holding]) -> int:
        """The same for each queue, by its own average; and less by as many as there are fewer
        workers than shares. The queues take turns at being the first who are asked for."""
        self._turns.rotate(-1)
        soon = Counter(one.step.queue for one in taken)
        for queue, lane in self._lanes.items():
            ahead = min(int(lane.share * seconds / lane.average), most * lane.share // self._shares)
            lane.room = max(lane.share + ahead - lane.held - soon[queue], 0)
        missing = max(self._shares - self._workers, 0)
        return sum(lane.room for lane in self._lanes.values()) - missing

    def has_room_for(self, step: Step) -> bool:
        """Whether its queue has room; then it has room for one less."""
        lane = self._lanes[step.queue]
        lane.room -= 1
        return lane.room >= 0

    def claim(self, tx: Transaction, request: ClaimRequest, *, beside: bool = False) -> Claimed:
        """Claim from each queue that has room; what one does not have, the next may take."""
        if request.alone or request.limit <= 0:
            return super().claim(tx, request)
        self._ask(tx, request, beside=beside)
        lanes = self._lanes.values()
        if not any(lane.asked for lane in lanes):  # a buried engine is to hear of it all the same
            super().claim(tx, replace(request, limit=0))
        return reduce(_both, [lane.answer for lane in lanes])

    def limited(self, clock: Clock, ask: AskLimited, average: Callable[[], float]) -> SharedLimits:
        """What decides when to claim limited rows, queue by queue."""
        return SharedLimits(
            {lane: self._limited(queue, lane, clock, ask) for queue, lane in self._lanes.items()}
        )

    def _limited(self, queue: str, lane: Lane, clock: Clock, ask: AskLimited) -> LimitedClaims:
        return LimitedClaims(
            clock,
            ask=lambda limit, beyond: ask(limit, beyond, queue),
            free=lambda: self._free(lane),
            workers=lane.share,
            average=lambda: lane.average,
        )

    def _ask(self, tx: Transaction, request: ClaimRequest, *, beside: bool) -> None:
        left = request.limit
        for queue in self._turns:
            lane, is_open = self._lanes[queue], queue in request.queues
            limit = min(lane.room, left) if is_open else 0
            lane.asked = limit > 0
            if lane.asked:
                wanted = replace(request, queues=(queue,), limit=limit)
                lane.answer = super().claim(tx, wanted, beside=beside)
                left -= len(lane.answer.steps)
            else:
                lane.answer = self._unknown() if is_open else Claimed()

    def _unknown(self) -> Claimed:
        """Of a full queue: something may be due, so the engine is not idle."""
        soon = self._clock.now() + timedelta(seconds=LOOK_AGAIN)
        return Claimed(next_due=soon, limited_due=True)

    def _free(self, lane: Lane) -> int:
        lanes = self._lanes.values()
        free = self._workers - sum(min(one.held, one.share) for one in lanes)
        return min(lane.share - lane.held, free)


class SharedLimits:
    """Decides for each queue by itself when to ask for limited rows, and for how many."""

    def __init__(self, each: Mapping[Lane, LimitedClaims]) -> None:
        self._each = each

    def first(self) -> bool:
        """Before an ordinary claim: each queue's limited rows get their share of its workers."""
        taken = [limits.first() for limits in self._each.values()]
        return any(taken)

    def also(self, claimed: Claimed, *, alone: bool = False) -> Claimed:
        """After an ordinary claim: what it gave, and limited rows for workers still free."""
        if alone:
            return self._suspect(claimed)
        nothing = Claimed(claimed.steps)
        return reduce(_both, [self._also(*one) for one in self._each.items()], nothing)

    def _also(self, lane: Lane, limits: LimitedClaims) -> Claimed:
        said = replace(lane.answer, steps=())
        return limits.also(said) if lane.asked else said

    def _suspect(self, claimed: Claimed) -> Claimed:
        for limits in self._each.values():
            if not claimed.steps:
                claimed = limits.also(claimed, alone=True)
        return claimed


def _both(one: Claimed, other: Claimed) -> Claimed:
    return Claimed(
        one.steps + other.steps,
        earliest(one.next_due, other.next_due),
        one.suspect_due or other.suspect_due,
        one.limited_due or other.limited_due,
        whole=one.whole and other.whole,
    )


def check_shares(shares: Mapping[str, int], flow_id: UUID | None) -> None:
    """Whether an engine can run its steps so.

    Raises
    ------
    InvalidInput : a queue could never run anything; or the queues do not count (R36).
    """
    for queue, share in shares.items():
        of_type(f"The share of {queue!r}", share, int, "Give a number of workers.")
    if not shares or min(shares.values()) < 1:
        raise InvalidInput(
            f"{dict(shares)} are no shares of the workers.",
            why="Each queue needs one worker at least, or its steps never run.",
            fix="Leave the queue out, or pause it: engine.pause(queue, reason).",
        )
    if flow_id is not None:
        raise InvalidInput(
            "The steps of one flow cannot be run by shares of queues.",
            why="With flow_id= they are run whatever their queue is.",
            fix="Give workers= only.",
        )
