"""Claim ahead -> hand out -> group commit: the engine's one pipeline.

The feeding thread claims in batches: what the free slots need, plus what will be
finished within the next moment at the speed seen lately. A step that waited
unstarted behind slow neighbours for a second is given back to other engines.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from stepwell.clock import StoreClock
from stepwell.codec import Codec
from stepwell.engine.committer import BACKOFF, Answered, Committer, Ended
from stepwell.engine.execution import Execution, drive
from stepwell.engine.held import Held, Holding
from stepwell.engine.joining import Members
from stepwell.engine.once import Once
from stepwell.errors import Denied, EngineBuried, StoreUnavailable
from stepwell.events import emit
from stepwell.registry import Registry
from stepwell.step import Step, new_id
from stepwell.stores.protocol import Claimed, ClaimRequest, Store, Wake

POLL: Final = 10.0
"""Seconds between claims on an idle engine when nothing wakes it: the fallback."""
AHEAD: Final = 0.1
"""Seconds of work that is claimed ahead of the free slots."""
MOST_AHEAD: Final = 500
"""The most steps claimed ahead."""
GIVE_BACK: Final = 1.0
"""Seconds after which a claimed step that no slot was free for is given back."""
RECONCILE: Final = 60.0
"""Seconds between looks for claims in this engine's name that it does not hold; after a
lost answer it looks at once."""
QUARANTINE: Final = 10.0
"""Seconds for which an engine waits to be empty before it takes a suspect, and for
which it then takes nothing else (R15)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which steps an engine runs, how many at once, and what it calls itself."""

    name: str
    queues: tuple[str, ...]
    workers: int
    flow_id: UUID | None


class Worker:
    """The pipeline of one engine.

    Parameters
    ----------
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
        held: Held,
        fresh: Callable[[], bool],
        on_buried: Callable[[UUID], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._store, self._registry, self._codec, self._clock = store, registry, codec, clock
        self._scope, self._held, self._fresh, self._on_buried = scope, held, fresh, on_buried
        self._loop = loop
        self.engine_id: UUID | None = None
        self.committer = Committer(store, held, self.nudge)
        self._once = Once(store, held)
        self._members = Members(store, codec).of
        self.idle = threading.Event()
        self.denied: Denied | None = None
        self.next_due: datetime | None = None
        self.rests_until: datetime | None = None
        self._wake: Wake = store.wake()
        self._pool = ThreadPoolExecutor(scope.workers, thread_name_prefix="stepwell-worker")
        self._over = threading.Event()
        self._failures = 0
        self._reconciled = clock.monotonic()
        self._average = 1.0
        self._suspect_since: float | None = None
        self._alone_until = float("-inf")
        self._thread = threading.Thread(target=self._feed, name="stepwell-feed", daemon=True)

    def start(self) -> None:
        """Begin to claim."""
        self.committer.start()
        self._thread.start()

    def nudge(self) -> None:
        """Something may have changed: look at once."""
        self.idle.clear()
        self._wake.set()

    def stop(self, timeout: float) -> list[Step]:
        """Claim no more, give back what has not started, let the rest end.

        Returns the steps that were still running after `timeout` seconds.
        """
        self._over.set()
        self._wake.set()
        self._thread.join()
        self._release(self._held.give_back(float("inf")))
        self._await_running(timeout)
        self._once.stop()
        left = self._held.steps_running()
        self._pool.shutdown(wait=not left, cancel_futures=True)
        self.committer.stop(timeout=5.0)
        self._wake.close()
        return left

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
                self._wake.wait(pause)

    def _feed_or_rejoin(self) -> float:
        engine_id = self.engine_id  # the heartbeat may have joined anew by the time it raises
        assert engine_id is not None, "joined before start"
        try:
            return self._feed_once()
        except EngineBuried:
            self._on_buried(engine_id)
            return 0.0

    def _feed_once(self) -> float:
        if self._failures or self._clock.monotonic() - self._reconciled > RECONCILE:
            self._reconcile()
        self._hand_out()
        self._give_back_late()
        if not self._fresh():
            return BACKOFF[-2]
        room = self._room()
        if room <= 0:
            return GIVE_BACK
        empty_before = not len(self._held)
        claimed = self._claim(room)
        self._hand_out()
        return self._after(claimed, room, empty_before)

    def _after(self, claimed: Claimed, room: int, empty_before: bool) -> float:
        self.next_due = claimed.next_due
        self._note_suspects(claimed)
        if len(claimed.steps) >= room:
            return 0.0
        if empty_before and not claimed.steps and self._suspect_since is None:
            self.rests_until = claimed.next_due  # its own: `next_due` moves while work goes on
            self.idle.set()
        return self._until_next_due()

    def _until_next_due(self) -> float:
        if self._suspect_since is not None:
            return BACKOFF[1]
        if self.next_due is None:
            return POLL
        due_in = (self.next_due - self._clock.now()).total_seconds()
        return min(max(due_in, 0.001), POLL)

    def _room(self) -> int:
        now = self._clock.monotonic()
        if now < self._alone_until and len(self._held):
            return 0
        if self._suspect_since is not None:
            waited = now - self._suspect_since
            return 1 if not len(self._held) or waited > QUARANTINE else 0
        ahead = min(int(self._scope.workers * AHEAD / self._average), MOST_AHEAD)
        return self._scope.workers + ahead - self._held.running - self._held.waiting

    def _claim(self, room: int) -> Claimed:
        assert self.engine_id is not None, "joined before start"
        engine_id, alone = self.engine_id, self._suspect_since is not None
        request = ClaimRequest(
            engine_id=engine_id,
            request_id=new_id(),
            names=self._registry.names,
            queues=self._scope.queues,
            limit=room,
            flow_id=self._scope.flow_id,
            alone=alone,
            skew=(random.random(), random.random(), random.random(), random.random()),
        )
        with self._store.transaction() as tx:
            claimed = tx.claim(request)
        self._held.accept(claimed.steps, engine_id, self._clock.monotonic())
        if claimed.steps:
            self.idle.clear()
            emit("engine.claimed", engine=engine_id, count=len(claimed.steps))
        return claimed

    def _note_suspects(self, claimed: Claimed) -> None:
        now = self._clock.monotonic()
        if self._suspect_since is not None and claimed.steps:
            self._alone_until = now + QUARANTINE
        if claimed.suspect_due and self._suspect_since is None:
            self._suspect_since = now
        elif not claimed.suspect_due or claimed.steps:
            self._suspect_since = None

    def _reconcile(self) -> None:
        """Release what the store has in this engine's name and it knows nothing of (R13)."""
        assert self.engine_id is not None
        with self._store.transaction() as tx:
            strangers = self._held.strangers(tx.claimed(self.engine_id))
        if strangers:
            with self._store.transaction() as tx:
                tx.release(self.engine_id, strangers)
        self._failures, self._reconciled = 0, self._clock.monotonic()

    def _unavailable(self, error: Exception) -> float:
        delay = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1
        emit("engine.claim_failed", engine=self.engine_id, error=str(error), retry_after=delay)
        return delay

    def _give_back_late(self) -> None:
        late = self._held.give_back(self._clock.monotonic() - GIVE_BACK)
        if late:
            self._average = max(self._average, GIVE_BACK)  # claim none ahead until steps are fast
        self._release(late)

    def _release(self, holdings: list[Holding]) -> None:
        if not holdings or self.engine_id is None:
            return
        try:
            with self._store.transaction() as tx:
                tx.release(self.engine_id, [one.claim for one in holdings])
        except StoreUnavailable as error:
            self._unavailable(error)

    # -- handing out -----------------------------------------------------------

    def _hand_out(self) -> None:
        while self._fresh():
            holding = self._held.begin(self._clock.monotonic(), self._scope.workers)
            if holding is None:
                return
            self._begin(holding)

    def _begin(self, holding: Holding) -> None:
        execution = Execution(
            holding.step,
            self._registry,
            self._codec,
            self._clock,
            self._scope.name,
            self._members,
        )
        if execution.handler.is_async:
            task = asyncio.run_coroutine_threadsafe(execution.run(), self._loop)
            task.add_done_callback(
                lambda done: self._end(
                    holding, execution, lambda: Ended(holding, execution, done.result())
                )
            )
        else:
            run = self._once.run if execution.handler.exactly_once else _run
            self._pool.submit(self._end, holding, execution, partial(run, holding, execution))

    def _end(
        self, holding: Holding, execution: Execution, run: Callable[[], Ended | Answered | None]
    ) -> None:
        try:
            ended = run()
        except BaseException as error:  # the event loop is gone: nobody judged the outcome
            emit("step.abandoned", step=holding.step.id, error=repr(error))
            self._held.ended(holding)
            return
        if ended is not None:
            self.committer.put(ended)
        self._held.ended(holding)
        self._average += (execution.seconds + 1e-5 - self._average) * 0.05
        self._hand_out()
        if self._held.waiting <= self._scope.workers:
            self._wake.set()

    def _await_running(self, timeout: float) -> None:
        waiter = threading.Event()
        end = self._clock.monotonic() + timeout
        while self._held.running and self._clock.monotonic() < end:
            waiter.wait(0.01)


def _run(holding: Holding, execution: Execution) -> Ended:
    """A plain function's step, to be settled with the others of the moment."""
    return Ended(holding, execution, drive(execution.run()))
