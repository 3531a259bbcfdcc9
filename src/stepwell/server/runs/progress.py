"""How far the operation is that runs, as it tells: kept in the header, and only the latest."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.server.runs import queries
from stepwell.server.runs.judgement import operation_of
from stepwell.server.runs.records import Progress, ProgressTold
from stepwell.step import StepQuery, StepStatus
from stepwell.stores.protocol import Transaction


def tell(conn: Connection, tx: Transaction, run: RowMapping, told: ProgressTold) -> bool:
    """Keep it; False if the operation is not claimed any more under that number."""
    query = StepQuery(ids=(told.step_id,), flow_id=run["id"], status=StepStatus.READY)
    for step in tx.search(query):
        if step.claim_no == told.claim_no and step.claimed_by is not None:
            shown = Progress(
                operation=operation_of(step),
                step_id=step.id,
                done=told.done,
                total=told.total,
                fraction=_fraction(told),
                note=told.note,
                at=clock.now(),
            )
            queries.change(conn, run["id"], progress=shown.model_dump(mode="json"))
            return True
    return False


def _fraction(told: ProgressTold) -> float | None:
    if told.total is None or told.total <= 0:
        return None
    return min(max(told.done / told.total, 0.0), 1.0)
