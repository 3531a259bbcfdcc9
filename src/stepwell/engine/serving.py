"""Which steps an engine runs, and which new ones without anybody looking for them (R21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from stepwell.clock import Clock
from stepwell.engine.intake import Intake
from stepwell.engine.pauses import Pauses
from stepwell.engine.runner import Slots
from stepwell.registry import Registry
from stepwell.step import Addition, Step
from stepwell.stores.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which steps an engine runs, how many at once, and what it calls itself."""

    name: str
    queues: tuple[str, ...]
    slots: Slots
    flow_id: UUID | None


class Serving:
    """What one engine runs.

    Parameters
    ----------
    clock : the engine's, at the store's time.
    intake : for what there is room.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        intake: Intake,
        pauses: Pauses,
        scope: Scope,
    ) -> None:
        self._store, self._registry, self._clock = store, registry, clock
        self._intake, self._pauses, self._flow_id = intake, pauses, scope.flow_id

    def takes_over(self, addition: Addition) -> bool:
        """Whether a spawned row may run here right after its parent's commit."""
        return (
            self._store.capabilities.transactions  # else its claim could outlive the engine (R11)
            and addition.fresh  # else it may be there already, and not be inserted (R1)
            and self.may_begin(addition.step)
            and self._intake.has_room_for(addition.step)
        )

    def may_begin_all(self, additions: Sequence[Addition]) -> bool:
        """Whether there is a worker for each of these, and none is held already."""
        return (
            self._intake.idle >= len(additions)
            and not any(self._intake.held.has(one.step.id) for one in additions)
            and all(self.may_begin(one.step) for one in additions)
        )

    def may_begin(self, step: Step) -> bool:
        """Whether a new step is due, handled here, and nothing else decides when it runs."""
        return (
            step.unique_key is None
            and step.limit_key is None
            and step.rate_key is None
            and step.waiting_for == 0
            and (step.schedule_time is step.created_at or step.schedule_time <= self._clock.now())
            and (
                step.queue in self._pauses.open_queues
                if self._flow_id is None
                else step.flow_id == self._flow_id
            )
            and self._registry.handles(step.name)
        )
