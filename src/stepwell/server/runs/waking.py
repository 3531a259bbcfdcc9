"""Having a run's supervising step look again, from whatever transaction has a reason to."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from stepwell.step import StepQuery, StepStatus
from stepwell.stores.protocol import Transaction

SUPERVISE: Final = "v1/server/supervise"


def activate_supervisor(tx: Transaction, run_id: UUID) -> None:
    """Have the run's supervising step look again, in the caller's transaction."""
    query = StepQuery(name=SUPERVISE, unique_key=str(run_id), status=StepStatus.READY, limit=1)
    for step in tx.search(query):
        tx.activate(step.id, None, None)
