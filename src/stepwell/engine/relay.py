"""Two bursts in turns: while one is in the store, the other runs.

Python and the database work at the same time only if something else runs while a feeding
thread waits for an answer. As long as claims of short steps bring as many as were asked for, a
second thread claims, waits and settles bursts of its own, on a connection of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from stepwell.engine.bursts import LONGEST, Bursts
from stepwell.engine.committer import Answered, Committer, Ended
from stepwell.engine.held import Holding
from stepwell.engine.intake import Intake
from stepwell.errors import EngineBuried
from stepwell.events import emit
from stepwell.stores.protocol import Claimed, ClaimRequest

BRIEF: Final = 0.001
"""Seconds that most steps take at most for a second burst to pay."""
SHARED: Final = 20
"""Of so many spawned steps the second runs half, as they need not be claimed (R21)."""
AFTER_FAILURE: Final = 0.5
"""Seconds until the second tries again; the first knows what to do about it."""


class Relay:
    """The second runner of one engine's bursts, and the way of outcomes to their burst.

    Parameters
    ----------
    first, second : the bursts of the feeding thread, and those of this one.
    median : seconds within which half of the handlers have ended lately. Their average says
        little: of steps that take no time but for one in a hundred, which takes a second, a
        burst settles almost all, and the slow ones come back together.
    may : whether steps may be claimed by lock now, beside others.
    request : makes the request for so many steps.
    took : is told what was claimed.
    rested : called when it has nothing more to do: the first is to look once more.
    """

    def __init__(
        self,
        first: Bursts,
        second: Bursts,
        committer: Committer,
        intake: Intake,
        *,
        median: Callable[[], float],
        may: Callable[[], bool],
        request: Callable[[int], ClaimRequest],
        took: Callable[[ClaimRequest, Claimed], None],
        rested: Callable[[], None],
    ) -> None:
        self._both, self._second, self._committer = (first, second), second, committer
        self.first = first
        """The bursts of the feeding thread."""
        first.when_full, first.share = self.more, self._share
        self._intake, self._median, self._may = intake, median, may
        self._request, self._took, self._rested = request, took, rested
        self._called, self._over = threading.Event(), threading.Event()
        self._lost = threading.Event()
        self._thread: threading.Thread | None = None
        self._rests = True

    @property
    def resting(self) -> bool:
        """Whether the second claims nothing, and has nothing to be settled or looked for."""
        return self._rests and not self._lost.is_set()

    def room(self, bursts: Bursts) -> int:
        """For how many steps these bursts, one of both, have room now."""
        median = self._median()
        if self.resting:
            return self._intake.room(median, LONGEST, bursts.most, bursts.taken)
        most = sum(one.most for one in self._both)
        taken = [holding for one in self._both for holding in one.taken]
        return min(self._intake.room(median, 2 * LONGEST, most, taken), bursts.most)

    def more(self) -> None:
        """There is more than one burst has taken. If one was too much, two are none better."""
        if self._is_wanted() and not self.first.cut:
            self._call()

    def has_lost(self) -> bool:
        """Whether the second has failed since this was asked last: it may have lost the answer
        to a commit that wrote claims, and the first is to look for them (R13)."""
        lost = self._lost.is_set()
        if lost:
            self._lost.clear()
        return lost

    def stop(self) -> None:
        """End after the present burst; there is nothing more from now on."""
        self._over.set()
        self._called.set()
        if self._thread is not None:
            self._thread.join()
            self._second.hand_over()

    def put(self, holding: Holding, ended: Ended | Answered | None) -> bool:
        """A step has ended, in whatever thread; False if no burst has taken its outcome in."""
        own = holding.burst
        if own is not None and own.put(holding, ended):
            return True
        if isinstance(ended, Ended) and any(one.put(holding, ended) for one in self._both):
            return True
        if ended is not None:
            self._committer.put(ended)
        return False

    def _share(self, spawned: list[Holding]) -> list[Holding]:
        """Of the spawned steps that run next, those that the first keeps: half of many."""
        if len(spawned) < SHARED or not self._is_wanted():
            return spawned
        half = len(spawned) // 2
        self._second.take_over(spawned[half:])
        self._call()
        return spawned[:half]

    def _is_wanted(self) -> bool:
        return self.resting and self._intake.is_whole and self._pays() and self._has_thread()

    def _call(self) -> None:
        self._rests = False
        self._called.set()

    def _has_thread(self) -> bool:
        """Known before steps are given to it: else nobody would run them."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="stepwell-relay", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the machine gives no more; the first does all of it
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while not self._over.is_set():
            self._called.wait()
            self._called.clear()
            self._go()
            self._second.hand_over()
            self._rests = True
            self._rested()

    def _go(self) -> None:
        try:
            while not self._over.is_set() and self._pays() and self._burst():
                pass
        except EngineBuried:
            pass  # the first learns of it by its own claim
        except Exception as error:  # whatever a driver raises must not end the thread
            self._lost.set()
            emit("engine.claim_failed", engine=None, error=str(error), retry_after=AFTER_FAILURE)
            self._over.wait(AFTER_FAILURE)

    def _pays(self) -> bool:
        return self._median() < BRIEF and self._may()

    def _burst(self) -> bool:
        """One burst of the second; False if the first is enough."""
        room = max(self.room(self._second), 0)
        if room == 0 and not self._second.pending:
            return False
        request = self._request(room)
        claimed = self._second.claim_and_settle(request)
        self._took(request, claimed)
        if self._second.pending:
            return True
        return len(claimed.steps) >= request.limit and not self._second.cut
