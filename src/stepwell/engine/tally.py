"""How many executions ended in which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stepwell.outcome import Settlement
from stepwell.step import EndedAs, StepStatus

_DONE: Final = EndedAs.DONE


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

    def count(self, *settlements: Settlement) -> None:
        """Count applied settlements."""
        others = [one for one in settlements if one.ended_as is not _DONE]
        self.done += len(settlements) - len(others)
        for one in others:
            self._count(one)

    def _count(self, settlement: Settlement) -> None:
        if settlement.ended_as is None:
            kind = "retried" if settlement.failure_count else "rerun"
        else:
            kind = "done" if settlement.ended_as.status is StepStatus.DONE else "failed"
        setattr(self, kind, getattr(self, kind) + 1)
