"""Claim ahead -> hand out -> group commit: the engine's one pipeline.

The feeding thread claims in bursts: what the free slots need, plus what will be finished
within the next moment at the speed seen lately. A step that waited unstarted behind slow
neighbours for a second is given back to other engines.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from stepwell.clock import StoreClock
from stepwell.codec import Codec
from stepwell.engine.bursts import MOST, Bursts
from stepwell.engine.committer import BACKOFF, Answered, Committer, Ended
from stepwell.engine.direct import Direct
from stepwell.engine.held import Holding
from stepwell.engine.intake import Intake
from stepwell.engine.joining import Members
from stepwell.engine.once import Once
from stepwell.engine.pauses import Pauses
from stepwell.engine.relay import Relay
from stepwell.engine.runner import Runner
from stepwell.engine.serving import Scope, Serving
from stepwell.engine.suspects import Suspects
from stepwell.errors import Denied, EngineBuried, StepwellError
from stepwell.events import emit
from stepwell.ids import new_id
from stepwell.registry import Registry
from stepwell.step import Addition, Step
from stepwell.stores.protocol import Claimed, ClaimRequest, Store, Wake

POLL: Final = 25.0
"""Seconds between claims on an idle engine when nothing wakes it: the fallback."""
AHEAD: Final = 0.1
"""Seconds of work that is claimed ahead of the free slots."""
GIVE_BACK: Final = 1.0
"""Seconds after which a claimed step that no slot was free for is given back."""
SETTLING: Final = 5.0
"""Seconds that the last outcomes get to be settled at a stop."""
RECONCILE: Final = 60.0
"""Seconds between looks for claims that it does not hold; after a lost answer: at once."""
TRUSTED: Final = 50
"""Executions after which an engine that was not alone claims by lock alone. A step that kills its
engine leaves no trace on a row that was only locked, but the engine's own row; whoever sees that
claims in writing (R15)."""


class Worker:
    """The pipeline of one engine.

    Parameters
    ----------
    intake : how much is claimed at once, and the book of what is held.
    pauses : which queues are paused.
    fresh : whether the heartbeat is confirmed, so that steps may be started (R14).
    on_buried : called with its id when a claim learns that this engine was declared dead (R11).
    loop : the event loop on which `async def` handlers run.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        codec: Codec,
        clock: StoreClock,
        scope: Scope,
        intake: Intake,
        pauses: Pauses,
        fresh: Callable[[], bool],
        on_buried: Callable[[UUID], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._store, self._registry, self._codec, self._clock = store, registry, codec, clock
        self._scope, self._intake, self._fresh, self._on_buried = scope, intake, fresh, on_buried
        self._held, self._pauses = intake.held, pauses
        self._one_at_a_time = store.capabilities.scoped and scope.slots.most == 1
        self.engine_id: UUID | None = None
        self.committer = Committer(store, self._held, self.nudge)
        self._once = Once(store, self._held)
        self._suspects = Suspects(clock)
        self._serving = Serving(store, registry, clock, intake, pauses, scope)
        self._runner = Runner(
            registry,
            codec,
            clock,
            self._held,
            self._once,
            name=scope.name,
            slots=scope.slots,
            fresh=fresh,
            put=self._put,
            members=Members(store, codec).of,
            loop=loop,
        )
        self._relay = self._two_in_turns(intake)
        self._bursts = self._relay.first
        self._limits = intake.limited(clock, self._claim_limited, lambda: self._runner.average)
        self.idle = threading.Event()
        self._direct = Direct(
            store,
            clock,
            self._held,
            may=self._may_begin,
            request=self._request,
            go=self._runner.call,
            idle=self.idle,
            look=self._look_anew,
        )
        self.denied: Denied | None = None
        self.next_due: datetime | None = None
        self.rests_until: datetime | None = None
        self._wake: Wake = store.wake()
        self._over = threading.Event()
        self._failures, self._unaided, self._reconciled = 0, True, clock.monotonic()
        self._at_rest = False
        self._trusted_from = 0
        self._thread = threading.Thread(target=self._feed, name="stepwell-feed", daemon=True)

    def _two_in_turns(self, intake: Intake) -> Relay:
        bursts = partial(
            Bursts,
            self._store,
            self._clock,
            self._held,
            self.committer,
            claim=intake.claim,
            takes_over=self._serving.takes_over,
            aside=self._is_marked_first,
            go=self._runner.call,
        )
        return Relay(
            bursts(),
            bursts(looks=False),
            self.committer,
            intake,
            median=lambda: self._runner.median,
            may=self._may_go_on,
            request=self._request,
            took=self._note_claimed,
            rested=self.nudge,
        )

    def start(self) -> None:
        """Begin to claim."""
        self.committer.start()
        self._thread.start()

    def distrust(self) -> None:
        """An engine has died, or may have: what killed it may come here, and must leave a trace."""
        self._trusted_from = self._executed() + TRUSTED

    def nudge(self) -> None:
        """Something may have changed: look at once."""
        self._at_rest = False
        self.idle.clear()
        self._wake.set()

    def add(self, additions: Sequence[Addition]) -> bool:
        """Add steps that begin with their commit; False if others may be in front of them.

        Raises what `Store.add` raises.
        """
        return self._direct.add(additions)

    def interrupt(self, holdings: list[Holding]) -> None:
        """Tell handlers that their outcomes are no longer wanted."""
        self._runner.interrupt(holdings)

    def stop(self, timeout: float) -> list[Holding]:
        """Claim no more, give back what has not started, let the rest end.

        Returns the steps that were still running after `timeout` seconds.
        """
        self._over.set()
        self._direct.stop()
        self._wake.set()
        self._thread.join()
        self._wake.close()
        self._relay.stop()
        self._bursts.hand_over()
        self._release(self._held.give_back(float("inf")))
        self._await(lambda: not self._held.awaited, timeout)
        self._once.stop()
        left = self._held.holdings_running()
        self._runner.stop()
        # What has just ended may be on its way to the committer.
        self._await(lambda: len(self._held) <= len(left), SETTLING)
        self.committer.stop(SETTLING)
        return left

    def close(self, left: list[Holding]) -> None:
        """The claims are given back, or there never were any: what still runs may end."""
        self._wake.close()
        self._runner.interrupt(left)
        self._runner.close()

    # -- the feeding thread ----------------------------------------------------

    def _feed(self) -> None:
        while not self._over.is_set():
            try:
                pause = self._feed_or_rejoin()
            except Denied as error:
                self.denied = error
                self.idle.set()
                pause = POLL
            except Exception as error:  # whatever a driver raises must not end the feeding
                pause = self._unavailable(error)
            if pause > 0:
                self._wake.wait(pause, self._next_claim())

    def _next_claim(self) -> ClaimRequest | None:
        """What comes next where nothing is due, if that is known by now."""
        return self._request(1) if self._rests() and self._scope.flow_id is None else None

    def _feed_or_rejoin(self) -> float:
        engine_id = self.engine_id  # the heartbeat may have joined anew by the time it raises
        assert engine_id is not None, "joined before start"
        try:
            return self._feed_once()
        except EngineBuried:
            self._on_buried(engine_id)
            return 0.0

    def _feed_once(self) -> float:
        self._at_rest = False
        late = self._clock.monotonic() - self._reconciled > RECONCILE
        if self._relay.has_lost() or self._failures or late:
            self._reconcile()
        self._runner.call()
        self._give_back_late()
        if not self._fresh():
            self._bursts.hand_over()
            return BACKOFF[-2]
        room = self._room()
        if room <= 0 and not self._bursts.pending:
            return GIVE_BACK
        alone = self._suspects.is_due
        if not alone and self._limits.first():
            return 0.0
        claimed = self._claim(max(room, 0))
        if room > 0:
            claimed = self._limits.also(claimed, alone=alone)
        return self._after(claimed)

    def _after(self, claimed: Claimed) -> float:
        self.next_due = claimed.next_due
        self._suspects.note(claimed)
        if claimed.steps or self._bursts.pending or self._bursts.again:
            return 0.0
        quiet = self._unaided and self._bursts.quiet and not claimed.may_be_more
        if quiet and not self._suspects.is_due:
            self.rests_until = claimed.next_due  # its own: `next_due` moves while work goes on
            self.idle.set()
        self._at_rest = not claimed.may_be_more and not self._suspects.is_due
        return self._until_next_due()

    def _until_next_due(self) -> float:
        if self._suspects.is_due:
            return BACKOFF[1]
        longest = GIVE_BACK if self._held.waiting else POLL  # what waits too long goes back
        if self.next_due is None:
            return longest
        due_in = (self.next_due - self._clock.now()).total_seconds()
        return min(max(due_in, 0.001), longest)

    def _room(self) -> int:
        if self._suspects.runs and len(self._held):
            return 0
        if self._suspects.is_due:
            empty = self._relay.resting and not len(self._held)
            return 1 if empty or self._suspects.has_waited else 0
        if self._by_lock():
            return self._relay.room(self._bursts)
        room = self._intake.room(self._runner.average, AHEAD, MOST, self._bursts.taken)
        if self._store.capabilities.row_locks:
            left = self._trusted_from - self.committer.tally.executed - len(self._held)
            room = min(room, max(left, self._intake.idle))  # by lock is cheaper
        return 0 if self._one_at_a_time and len(self._held) > self._bursts.pending else room

    def _may_go_on(self) -> bool:
        alone = self._suspects.is_due or self._suspects.runs
        return not alone and self._fresh() and self._by_lock()

    def _claim(self, room: int) -> Claimed:
        request = self._request(room)
        self._unaided = self._relay.resting  # by now all that it had is settled, or held
        by_lock = self._by_lock() and not request.alone
        burst = self._bursts.claim_and_settle if by_lock else self._bursts.settle_and_claim
        claimed = burst(request)
        self._note_claimed(request, claimed)
        return claimed

    def _claim_limited(self, room: int, beyond: str, queue: str | None) -> Claimed:
        """Always marked at once, for slots are counted from marks, and run before the others."""
        request = replace(self._request(room), limited=True, beyond=beyond)
        if queue is not None:
            request = replace(request, queues=tuple({queue}.intersection(request.queues)))
        with self._store.transaction() as tx:
            claimed = tx.claim(request)
        since = self._clock.monotonic()
        holdings = [Holding(step, request.engine_id, since) for step in claimed.steps]
        self._held.accept(holdings, first=True)
        self._runner.call()
        self._note_claimed(request, claimed)
        return claimed

    def _request(self, room: int) -> ClaimRequest:
        assert self.engine_id is not None, "joined before start"
        return ClaimRequest(
            engine_id=self.engine_id,
            request_id=new_id(),
            names=self._registry.names,
            queues=self._pauses.open_queues,
            limit=room,
            flow_id=self._scope.flow_id,
            alone=self._suspects.is_due and room > 0,
            skew=(random.random(), random.random(), random.random(), random.random()),
        )

    def _note_claimed(self, request: ClaimRequest, claimed: Claimed) -> None:
        if claimed.steps:
            self.idle.clear()
            emit("engine.claimed", engine=request.engine_id, count=len(claimed.steps))

    def _by_lock(self) -> bool:
        return self._store.capabilities.row_locks and self._executed() >= self._trusted_from

    def _executed(self) -> int:
        """What it has survived, settled or about to be."""
        return self.committer.tally.executed + self._bursts.unsettled

    def _is_marked_first(self, step: Step) -> bool:
        """What locks its row itself, and what was there when an engine died (R15)."""
        return step.lost_count > 0 or self._registry.find(step.name).exactly_once

    def _may_begin(self, additions: Sequence[Addition]) -> bool:
        return self._rests() and self._serving.may_begin_all(additions)

    def _rests(self) -> bool:
        """Whether nothing waits for a worker, and what comes may be claimed by lock."""
        return self._at_rest and self._may_go_on() and self._intake.is_whole

    def _look_anew(self, lost: bool) -> None:
        if lost:
            self._reconciled = float("-inf")
        self.nudge()

    def _reconcile(self) -> None:
        """Release what the store has in this engine's name and it knows nothing of (R13)."""
        assert self.engine_id is not None
        self._failures, self._reconciled = 0, self._clock.monotonic()  # not after: more may be lost
        with self._store.transaction() as tx:
            strangers = self._held.strangers(tx.claimed(self.engine_id))
        if strangers:
            with self._store.transaction() as tx:
                tx.release(self.engine_id, strangers)

    def _unavailable(self, error: Exception) -> float:
        delay = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1
        emit("engine.claim_failed", engine=self.engine_id, error=str(error), retry_after=delay)
        return delay

    def _give_back_late(self) -> None:
        late = self._held.give_back(self._clock.monotonic() - GIVE_BACK)
        if late:
            self._runner.slow_down(GIVE_BACK)
        self._release(late)

    def _release(self, holdings: list[Holding]) -> None:
        if not holdings or self.engine_id is None:
            return
        try:
            with self._store.transaction() as tx:
                tx.release(self.engine_id, [one.claim for one in holdings])
        except StepwellError as error:
            self._unavailable(error)

    # -- whatever thread a step ends in ---------------------------------------

    def _put(self, holding: Holding, ended: Ended | Answered | None) -> None:
        if ended is None:  # nobody will settle it: the claim is given back, now or at the stop
            self._held.settled([holding])
        if not self._relay.put(holding, ended) and self._held.waiting <= self._scope.slots.most:
            self._wake.set()

    def _await(self, what: Callable[[], bool], timeout: float) -> None:
        end = self._clock.monotonic() + timeout
        while not what() and self._clock.monotonic() < end:
            threading.Event().wait(0.01)
