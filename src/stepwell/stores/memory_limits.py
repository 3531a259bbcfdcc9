"""Limited rows in dictionaries: which are due, and what `stores.allotment` makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from stepwell.step import Step
from stepwell.stores import moves
from stepwell.stores.allotment import Allotted, Contender, allot_apart
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.protocol import ClaimRequest


def limited(step: Step) -> bool:
    """Whether ordinary claims pass the row over (R20)."""
    return step.limit_key is not None or step.rate_key is not None


class Limits:
    """The limited rows that an engine could be given.

    Parameters
    ----------
    mine : unclaimed limited rows of the names and queues, or of the flow, asked for.
    ready : all ready rows, of which the claimed ones take slots.
    controls : all controls by kind and key.
    now : store time.
    """

    def __init__(
        self,
        mine: list[Step],
        ready: Iterable[Step],
        controls: Mapping[tuple[ControlKind, str], Control],
        now: datetime,
    ) -> None:
        self.due = [step for step in mine if step.schedule_time <= now]
        self.later = [step.schedule_time for step in mine if step.schedule_time > now]
        self._ready, self._controls, self._now = ready, controls, now

    def allot(self, request: ClaimRequest) -> Allotted:
        """What the claim may take."""
        held = Counter(step.limit_key for step in self._ready if step.claimed_by is not None)
        rows = [self._contender(step, held[step.limit_key]) for step in self.due]
        return allot_apart(rows, request.limit, request.skew, self._now, alone=request.alone)

    def _contender(self, step: Step, held: int) -> Contender:
        slots = self._controls.get((ControlKind.LIMIT, step.limit_key or ""))
        rate = self._controls.get((ControlKind.RATE, step.rate_key or ""))
        return Contender(
            id=step.id,
            name=step.name,
            priority=step.priority,
            schedule_time=step.schedule_time,
            limit_key=step.limit_key,
            limit_slots=step.limit_slots,
            rate_key=step.rate_key,
            suspect=step.lost_count >= moves.SUSPECT_FROM,
            held=held,
            slots=slots.slots if slots else None,
            rate_count=rate.slots if rate else None,
            rate_period=rate.period if rate else None,
            next_free_at=rate.next_free_at if rate else None,
        )


def in_reach(step: Step, request: ClaimRequest) -> bool:
    """Unclaimed, waiting for none, without a limit, in the engine's queues or flow."""
    return not limited(step) and in_place(step, request)


def in_place(step: Step, request: ClaimRequest) -> bool:
    """Unclaimed, waiting for none, in the engine's queues or flow."""
    if step.claimed_by is not None or step.waiting_for:
        return False
    if request.flow_id is not None:
        return step.flow_id == request.flow_id
    return step.queue in request.queues
