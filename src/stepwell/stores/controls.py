"""Controls: what an operator says about queues and keys, apart from any step (R20, R22)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class ControlKind(StrEnum):
    """What a control does.

    ``pause`` keeps a queue from being claimed, ``limit`` says how many steps of a key run at
    once, ``rate`` how fast they begin.
    """

    PAUSE = "pause"
    LIMIT = "limit"
    RATE = "rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One row of the controls. Instants are aware UTC.

    Parameters
    ----------
    key : the queue of a pause, the limit key of a limit, the rate key of a rate.
    slots : of a limit: how many run at once; of a rate: how many begin within the period.
    period : of a rate, in seconds.
    next_free_at : of a rate: before this instant no more begins; None until one has begun.
    reason, changed_by, changed_at : why, who and when (store time).
    """

    kind: ControlKind
    key: str
    slots: int | None = None
    period: float | None = None
    next_free_at: datetime | None = None
    reason: str | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None

    def changed(self, by: str) -> Control:
        """The same, as somebody's word; the store adds the time."""
        return replace(self, changed_by=by)

    @property
    def spacing(self) -> float:
        """Of a rate: seconds between two steps."""
        return (self.period or 0.0) / (self.slots or 1)
