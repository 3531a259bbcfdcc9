"""Steps that an idle engine's own program adds: they come claimed, and begin with their commit.

Nobody is told of them, and nobody looks for them: of the way from a call to its handler that is
half. What it takes is that nothing that was due before them waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import compress
from typing import Final

from stepwell.clock import Clock
from stepwell.engine.held import Held, Holding
from stepwell.events import emit
from stepwell.frozen import changer
from stepwell.step import Addition, Step
from stepwell.stores.protocol import ClaimRequest, Store

_changed: Final = changer(Step)


class Direct:
    """Adds steps for one engine to begin.

    Parameters
    ----------
    clock : the engine's, at the store's time.
    may : whether the engine is at rest, and may begin all of these now.
    request : in whose name they are claimed.
    go : called when steps are to be run.
    idle : is cleared before there is something to do.
    look : called when the engine is to look for what is due; True where an answer was lost, so
        that claims may stand on rows that it knows nothing of (R13).
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        held: Held,
        *,
        may: Callable[[Sequence[Addition]], bool],
        request: Callable[[int], ClaimRequest],
        go: Callable[[], None],
        idle: threading.Event,
        look: Callable[[bool], None],
    ) -> None:
        self._store, self._clock, self._held = store, clock, held
        self._may, self._request, self._go = may, request, go
        self._idle, self._look = idle, look
        # A signal's handler may stop the engine in the midst of what its thread adds.
        self._adding, self._over = threading.RLock(), False
        self._reserved: list[Holding] = []

    def stop(self) -> None:
        """Begin none from now on; those that are being added are held when this returns, or not
        held any more if this thread is adding them: nothing is to wait for them."""
        with self._adding:
            self._over = True
            self._held.settled(self._reserved)

    def add(self, additions: Sequence[Addition]) -> bool:
        """Add them as this engine's own, and begin those that are new; False if it may not.

        Raises what `Store.add` raises.
        """
        with self._adding:
            if self._over or not self._may(additions):
                return False
            new = self._insert(additions, self._request(len(additions)))
        left_out = list(compress(additions, (not one for one in new)))
        if left_out:  # they were there before, or the engine was declared dead (R1, R11)
            self._store.add(left_out)
            self._look(False)
        return True

    def _insert(self, additions: Sequence[Addition], request: ClaimRequest) -> list[bool]:
        """Which of them are new, and held now."""
        claimed, since = self._claimed(additions, request), self._clock.monotonic()
        holdings = [Holding(one.step, request.engine_id, since) for one in claimed]
        self._idle.clear()
        self._reserved = holdings
        self._held.reserve(holdings)  # or they would be taken for lost (R13)
        try:
            new = self._store.add(claimed)
        except BaseException:
            self._held.settled(holdings)
            self._look(True)
            raise
        finally:
            self._reserved = []
        self._held.settled(compress(holdings, (not one for one in new)))
        self._held.accept(compress(holdings, new))
        try:
            self._go()
        except RuntimeError:  # the machine gives no thread now: they are added all the same
            self._look(False)
        emit("engine.claimed", engine=request.engine_id, count=sum(new))
        return new

    def _claimed(self, additions: Sequence[Addition], request: ClaimRequest) -> list[Addition]:
        """Under the marks of a claim: copies, for if this fails they are added without."""
        marks = {
            "claimed_by": request.engine_id,
            "claim_no": 1,
            "claim_request": request.request_id,
            "claimed_at": self._clock.now(),
        }
        return [replace(one, step=_changed(one.step, **marks)) for one in additions]
