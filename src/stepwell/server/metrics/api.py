"""Routes of the room: /metrics and /targets."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Query, Response
from pydantic import AwareDatetime

from stepwell import clock
from stepwell.server.access.records import Role
from stepwell.server.http import Begin, Call, Router, Why, reads, writes
from stepwell.server.metrics import objectives, ranking, reading, regressions, tables
from stepwell.server.metrics.records import (
    By,
    Causes,
    Measured,
    Metrics,
    NewTarget,
    Order,
    Ranking,
    Regressions,
    Step,
    WorkflowTargets,
)

router = Router(tags=["metrics"])


class Format(StrEnum):
    """How an answer is written."""

    JSON = "json"
    CSV = "csv"


@router.get("/metrics")
def measured(
    call: Annotated[Call, reads(Role.VIEWER)],
    group: str | None = None,
    workflow: str | None = None,
    operation: Annotated[str | None, Query(description="empty: only the runs themselves")] = None,
    since: Begin = None,
    to: AwareDatetime | None = None,
) -> Metrics:
    """Rates and durations per workflow and operation: totals, and hour by hour (R40)."""
    names = {"group": group, "workflow": workflow, "operation": operation}
    return reading.measured(call.conn, since, to, **names)


@router.get("/metrics/query", response_model=Measured)
def query(
    call: Annotated[Call, reads(Role.VIEWER)],
    group: str | None = None,
    workflow: str | None = None,
    operation: Annotated[str | None, Query(description="none: the runs themselves")] = None,
    since: Begin = None,
    to: AwareDatetime | None = None,
    step: Step | None = None,
    compare: Annotated[bool, Query(description="with the range before, as long")] = False,
    written: Annotated[Format, Query(alias="format")] = Format.JSON,
) -> Measured | Response:
    """A series of rates, durations and counts, its total, and what runs waited for.

    A range up to 7 days is of whole hours, a longer one of whole days, UTC.
    """
    over = reading.range_of(since, to, step)
    names = {"group": group, "workflow": workflow, "operation": operation}
    found = reading.query(call.conn, over, compare=compare, **names)
    return _csv(tables.series(found)) if written is Format.CSV else found


@router.get("/metrics/ranking", response_model=Ranking)
def rank(
    call: Annotated[Call, reads(Role.VIEWER)],
    by: By = By.WORKFLOW,
    order: Order = Order.AVERAGE,
    group: str | None = None,
    workflow: str | None = None,
    since: Begin = None,
    to: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    written: Annotated[Format, Query(alias="format")] = Format.JSON,
) -> Ranking | Response:
    """The slowest, or most often failed, with their change against the range before."""
    over = reading.range_of(since, to)
    found = ranking.ranking(call.conn, over, by, order, limit, group=group, workflow=workflow)
    return _csv(tables.ranking(found)) if written is Format.CSV else found


@router.get("/metrics/causes")
def causes(
    call: Annotated[Call, reads(Role.VIEWER)],
    group: str | None = None,
    workflow: str | None = None,
    since: Begin = None,
    to: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Causes:
    """Why runs failed most often, day by day."""
    over = reading.range_of(since or _days_ago(7), to, Step.DAY)
    return ranking.causes(call.conn, over, limit, group=group, workflow=workflow)


@router.get("/metrics/regressions")
def list_regressions(
    call: Annotated[Call, reads(Role.VIEWER)],
    group: str | None = None,
    workflow: str | None = None,
) -> Regressions:
    """What became worse with a release, by more than chance explains."""
    return regressions.regressions(call.conn, group=group, workflow=workflow)


@router.get("/targets")
def list_targets(
    call: Annotated[Call, reads(Role.VIEWER)],
    group: str | None = None,
    workflow: str | None = None,
) -> list[WorkflowTargets]:
    """What workflows are held to, and how much of each budget is left."""
    return objectives.listed(call.conn, group=group, workflow=workflow)


@router.put("/targets/{group}/{workflow}")
def put_targets(
    call: Annotated[Call, writes(Role.OPERATOR)], group: str, workflow: str, body: NewTarget
) -> WorkflowTargets:
    """Hold a workflow to this, in place of what its source says."""
    return objectives.put(call.conn, group, workflow, body, by=call.user.name)


@router.delete("/targets/{group}/{workflow}", status_code=204)
def drop_targets(
    call: Annotated[Call, writes(Role.OPERATOR)],
    group: str,
    workflow: str,
    reason: Why = None,
) -> None:
    """Hold a workflow to what its source says again."""
    objectives.drop(call.conn, group, workflow, reason, by=call.user.name)


def _days_ago(days: int) -> datetime:
    return clock.now() - timedelta(days=days)


def _csv(text: str) -> Response:
    return Response(text, media_type="text/csv; charset=utf-8")
