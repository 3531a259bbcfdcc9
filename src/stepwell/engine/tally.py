"""How many executions ended in which way."""

from __future__ import annotations

from dataclasses import dataclass

from stepwell.outcome import Settlement
from stepwell.step import EndedAs, StepStatus


@dataclass(slots=True)
class Tally:
    """Counts of settled executions of one engine since it started.

    `refused` counts outcomes whose claim had been taken away (R12).
    """

    done: int = 0
    failed: int = 0
    rerun: int = 0
    retried: int = 0
    refused: int = 0

    @property
    def executed(self) -> int:
        """All executions whose outcome the store has answered."""
        return self.done + self.failed + self.rerun + self.retried + self.refused

    def count(self, settlement: Settlement) -> None:
        """Count one applied settlement."""
        if settlement.ended_as is EndedAs.DONE:
            self.done += 1
            return
        if settlement.ended_as is None:
            kind = "retried" if settlement.failure_count else "rerun"
        else:
            kind = "done" if settlement.ended_as.status is StepStatus.DONE else "failed"
        setattr(self, kind, getattr(self, kind) + 1)
