"""Routes of the room: /schedules, /schedule-previews; more in the other modules of its API."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from stepwell.schedules.ledger import Fate
from stepwell.server.access.records import Role
from stepwell.server.http import Begin, Call, End, Page, Pages, Router, Why, reads, writes
from stepwell.server.schedules import reading, service, watch_api
from stepwell.server.schedules.audits import service as audits
from stepwell.server.schedules.audits.records import Audit
from stepwell.server.schedules.backfills import api as backfills_api
from stepwell.server.schedules.calendars import api as calendars_api
from stepwell.server.schedules.definitions import plans
from stepwell.server.schedules.definitions.plan_records import Plan, PlanResult
from stepwell.server.schedules.previews import service as previews
from stepwell.server.schedules.records import (
    LedgerEntry,
    NewPause,
    NewPreview,
    NewRun,
    NewSchedule,
    NewSkip,
    Preview,
    ScheduleChange,
    Scheduled,
    ScheduledInFull,
)

router = Router(tags=["schedules"])
for more in (watch_api.router, backfills_api.router, calendars_api.router):
    router.routes.extend(more.routes)  # first: their paths are not ids of schedules

Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


class Started(BaseModel):
    """The run that was started."""

    run_id: UUID


@router.post("/schedule-previews")
def preview_schedule(call: Reading, body: NewPreview) -> Preview:
    """When a schedule would be due, before it is saved: with what the clock does, and overlaps."""
    return previews.preview(call.conn, call.services, body)


@router.get("/schedules")
def list_schedules(
    call: Reading,
    pages: Pages,
    group: str | None = None,
    workflow: str | None = None,
    active: bool | None = True,
    last: Fate | None = None,
) -> Page[Scheduled]:
    """Schedules, newest first, with the next due instant and what became of the latest one.

    `last` narrows to those whose latest due instant became that: `last=skipped`.
    """
    where = {"group": group, "workflow": workflow}
    return reading.listed(call.conn, pages, **where, active=active, last=last)


@router.post("/schedules", status_code=201)
def add_schedule(call: Operating, body: NewSchedule) -> ScheduledInFull:
    """Add a schedule to a workflow, beside the one from source."""
    schedule_id = service.add(call.conn, call.services, body, by=call.user.name)
    return reading.detail(call.conn, schedule_id)


@router.post("/groups/{group}/schedule-plans")
def apply_plan(call: Operating, group: str, body: Plan) -> PlanResult:
    """Bring a group's schedules in line with a plan: which workflows, when, with what."""
    changes = plans.apply(call.conn, call.services, group, body, by=call.user.name)
    return PlanResult(changes=changes)


@router.get("/schedules/{schedule_id}")
def show_schedule(call: Reading, schedule_id: UUID) -> ScheduledInFull:
    """One schedule, with its next ten fires."""
    return reading.detail(call.conn, schedule_id)


@router.patch("/schedules/{schedule_id}")
def change_schedule(call: Operating, schedule_id: UUID, body: ScheduleChange) -> ScheduledInFull:
    """Change when it is due, or its parameters; one from source is overridden, with a reason."""
    service.change(call.conn, call.services, schedule_id, body, by=call.user.name)
    return reading.detail(call.conn, schedule_id)


@router.delete("/schedules/{schedule_id}")
def remove_schedule(
    call: Operating,
    schedule_id: UUID,
    reason: Why = None,
) -> None:
    """Take away a schedule that was added by people; its ledger stays."""
    service.remove(call.conn, call.services, schedule_id, reason, by=call.user.name)


@router.delete("/schedules/{schedule_id}/override")
def end_override(
    call: Operating,
    schedule_id: UUID,
    reason: Why = None,
) -> ScheduledInFull:
    """What the source says is in force again."""
    service.end_override(call.conn, call.services, schedule_id, reason, by=call.user.name)
    return reading.detail(call.conn, schedule_id)


@router.post("/schedules/{schedule_id}/pauses", status_code=201)
def pause_schedule(call: Operating, schedule_id: UUID, body: NewPause) -> ScheduledInFull:
    """From now on due instants are skipped, and the ledger says so; it may end by itself."""
    who = {"by": call.user.name}
    service.pause(call.conn, call.services, schedule_id, body.reason, until=body.until, **who)
    return reading.detail(call.conn, schedule_id)


@router.delete("/schedules/{schedule_id}/pauses")
def resume_schedule(
    call: Operating,
    schedule_id: UUID,
    reason: Why = None,
) -> ScheduledInFull:
    """From now on due instants run again."""
    service.resume(call.conn, call.services, schedule_id, reason, by=call.user.name)
    return reading.detail(call.conn, schedule_id)


@router.post("/schedules/{schedule_id}/skips", status_code=201)
def skip_next(call: Operating, schedule_id: UUID, body: NewSkip) -> ScheduledInFull:
    """Skip the next due instants; each is entered in the ledger when its time comes."""
    service.skip_next(call.conn, call.services, schedule_id, body, by=call.user.name)
    return reading.detail(call.conn, schedule_id)


@router.delete("/schedules/{schedule_id}/skips")
def end_skips(
    call: Operating,
    schedule_id: UUID,
    reason: Why = None,
) -> ScheduledInFull:
    """Let the instants run that were to be skipped and whose time has not come."""
    service.end_skips(call.conn, call.services, schedule_id, reason, by=call.user.name)
    return reading.detail(call.conn, schedule_id)


@router.post("/schedules/{schedule_id}/runs", status_code=201)
def run_now(call: Operating, schedule_id: UUID, body: NewRun) -> Started:
    """Start a run now, whatever is due and whatever still runs."""
    run_id = service.run_now(
        call.conn, call.services, schedule_id, body.parameters, by=call.user.name
    )
    return Started(run_id=run_id)


@router.get("/schedules/{schedule_id}/ledger")
def list_ledger(
    call: Reading,
    pages: Pages,
    schedule_id: UUID,
    fate: Fate | None = None,
    since: Begin = None,
    until: End = None,
) -> Page[LedgerEntry]:
    """What became of each due instant, newest first."""
    return reading.lines(call.conn, pages, schedule_id, fate=fate, since=since, until=until)


@router.get("/schedules/{schedule_id}/audit")
def audit_ledger(
    call: Reading,
    schedule_id: UUID,
    begin: Begin = None,
    end: End = None,
) -> Audit:
    """Whether every due instant of a span is in exactly one entry, and the chain unbroken."""
    return audits.audited(call.conn, call.services, schedule_id, begin, end)
