"""A front whose store and clock are played: what its claims ask for, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from tests.stores.postgres.support import make, request

from stepwell.engine.front import Front
from stepwell.engine.shares import SharedIntake
from stepwell.ids import new_id
from stepwell.step import Step
from stepwell.stores.protocol import Claimed, ClaimRequest, Position, Transaction
from stepwell.testing.clock import VirtualClock

MANY = 1_000_000
"""So many claimed lately that claims begin at the front for 0.3 seconds."""


class Rows:
    """A transaction of a store that knows where due rows begin."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self.asked: list[dict[tuple[str, int], Position] | None] = []
        self.parks: list[bool] = []
        self.nothing: Claimed | None = None
        self.foreign: Callable[[], object] | None = None

    def claim(self, request: ClaimRequest) -> Claimed:
        """All of its steps of the queues, from the places on that are asked for."""
        since = request.since
        self.asked.append(None if since is None else {one[:2]: one for one in since})
        self.parks.append(request.parks)
        steps = tuple(step for step in self.steps if step.queue in request.queues)
        if self.nothing is not None:
            return self.nothing
        if since is not None:
            return Claimed(steps, whole=False)
        first = {place(step)[:2]: place(step) for step in reversed(steps)}
        if self.foreign is None or not steps:
            return Claimed(steps, front=tuple(first.values()))
        self.foreign()
        return Claimed(steps, front=tuple(first.values()), whole=False)

    @property
    def looks(self) -> list[bool]:
        """Which of the claims looked at all."""
        return [since is None for since in self.asked]


def place(step: Step) -> Position:
    """Where it stands."""
    return Position(step.queue, step.priority, step.schedule_time, step.id)


class Claims:
    """An engine's claims, one after the other, on a clock that moves only here."""

    def __init__(self, claimed_lately: int = MANY) -> None:
        self.clock = VirtualClock()
        self.front = Front(self.clock)
        self.front._claimed = claimed_lately

    def __call__(self, rows: Rows, *, beside: bool = False, **fields: Any) -> Claimed:
        """One claim."""
        asked = request(new_id(), **fields)
        return self.front.claim(cast(Transaction, rows), asked, beside=beside)

    def step(self, *, due_since: float, **fields: Any) -> Step:
        """A step that has been due for so many seconds."""
        due = self.clock.now() - timedelta(seconds=due_since)
        return make(schedule_time=due, **fields)


class Shared:
    """An engine's claims where its queues have shares of the workers."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.intake = SharedIntake({"default": 2, "mail": 2}, 4, self.clock)
        self.intake._front._claimed = MANY

    def __call__(self, rows: Rows, full: str = "", **fields: Any) -> Claimed:
        """One claim, with room in both queues, or in one."""
        self.intake.room(1.0, 0.1, 100, [])
        if full:
            self.intake._lanes[full].room = 0
        wanted = request(new_id(), queues=("default", "mail"), **fields)
        return self.intake.claim(cast(Transaction, rows), wanted)
