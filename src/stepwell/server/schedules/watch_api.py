"""Routes over all schedules: alerts, downtimes, audit, strip."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from stepwell.server.access.records import Role
from stepwell.server.http import Begin, Call, End, Page, Pages, Router, reads, writes
from stepwell.server.schedules.alerts import service as alerts
from stepwell.server.schedules.alerts.records import Alert
from stepwell.server.schedules.audits import service as audits
from stepwell.server.schedules.audits.records import AuditOfAll
from stepwell.server.schedules.downtimes import answering
from stepwell.server.schedules.downtimes import service as downtimes
from stepwell.server.schedules.downtimes.records import Answered, Downtime, NewAnswer
from stepwell.server.schedules.strip import service as strip
from stepwell.server.schedules.strip.records import Strip

router = Router(tags=["schedules"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


@router.get("/schedules/alerts")
def list_alerts(
    call: Reading,
    pages: Pages,
    kind: Literal["late", "too-long"] | None = None,
    schedule_id: UUID | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
) -> Page[Alert]:
    """Ticks that were late and runs that took too long, newest first."""
    return alerts.listed(call.conn, pages, kind=kind, schedule_id=schedule_id, is_open=is_open)


@router.get("/schedules/downtimes")
def list_downtimes(call: Reading, pages: Pages) -> Page[Downtime]:
    """When no server ticked, newest first: what was due meanwhile, and what became of it."""
    return downtimes.listed(call.conn, pages)


@router.post("/schedules/downtimes/{downtime_id}/answers", status_code=201)
def answer_downtime(call: Operating, downtime_id: UUID, body: NewAnswer) -> Answered:
    """Decide about what a downtime left missed: run each, the latest of each, or none."""
    return answering.answer(call.conn, call.services, downtime_id, body, by=call.user.name)


@router.get("/schedules/audit")
def audit_all(call: Reading, begin: Begin = None, end: End = None) -> AuditOfAll:
    """Whether the ledgers of all schedules account for every due instant of a span."""
    return audits.audited_all(call.conn, call.services, begin, end)


@router.get("/schedules/strip")
def show_strip(
    call: Reading,
    pages: Pages,
    begin: Begin = None,
    end: End = None,
    group: str | None = None,
) -> Strip:
    """Past fates and future fires per schedule, and how many runs go on at once."""
    return strip.strip(call.conn, call.services, pages, begin, end, group=group)
