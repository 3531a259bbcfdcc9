"""Ended steps, which the store itself sweeps: on PostgreSQL it drops whole partitions (R23)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from stepwell.engine import StepClient
from stepwell.server.retention.records import Count, Kind
from stepwell.server.services import Services
from stepwell.server.steps.service import STEPS
from stepwell.step import Retention, StepQuery, StepStatus

_DONE, _FAILED = STEPS


def _count(status: StepStatus) -> Count:
    def count(services: Services, before: datetime, limit: int) -> int:
        old = StepQuery(status=status, retention=Retention.STANDARD, ended_to=before)
        counts = StepClient(services.db.store).count(old, at_most=limit)
        return counts.done + counts.failed

    return count


def _elsewhere(services: Services, before: datetime, limit: int) -> int:
    """Nothing: `v1/server/sweep` does it."""
    return 0


KINDS: Final = (
    Kind(
        _DONE,
        "Steps that are done. What a run's header says of it stays.",
        lambda settings: settings.keep_done_days,
        _elsewhere,
        _count(StepStatus.DONE),
        aside=True,
    ),
    Kind(
        _FAILED,
        "Steps that have failed. What a run's header says of it stays.",
        lambda settings: settings.keep_failed_days,
        _elsewhere,
        _count(StepStatus.FAILED),
        aside=True,
    ),
)
