"""Routes of the room: /metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Router, reads
from stepwell.server.metrics import service
from stepwell.server.metrics.records import Metrics

router = Router(tags=["metrics"])


@router.get("/metrics")
def measured(
    call: Annotated[Call, reads(Role.VIEWER)],
    group: str | None = None,
    workflow: str | None = None,
    operation: Annotated[str | None, Query(description="empty: only the runs themselves")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
) -> Metrics:
    """Rates and durations per workflow and operation: totals, and hour by hour (R40)."""
    names = {"group": group, "workflow": workflow, "operation": operation}
    return service.measured(call.conn, since, to, **names)
