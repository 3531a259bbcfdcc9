"""Routes of backfills: /schedules/{id}/backfills, /backfills, and of single missed fires."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Router, reads, writes
from stepwell.server.schedules.backfills import firing
from stepwell.server.schedules.backfills import service as backfills
from stepwell.server.schedules.backfills.records import (
    Backfill,
    BackfillEnd,
    BackfillInstant,
    BackfillPreview,
    Fired,
    NewBackfill,
    NewFire,
)

router = Router(tags=["schedules"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


@router.post("/schedules/{schedule_id}/backfill-previews")
def preview_backfill(call: Reading, schedule_id: UUID, body: NewBackfill) -> BackfillPreview:
    """What a backfill would do: how many instants, in which order, until when."""
    return backfills.preview(call.conn, call.services, schedule_id, body)


@router.post("/schedules/{schedule_id}/backfills", status_code=201)
def start_backfill(call: Operating, schedule_id: UUID, body: NewBackfill) -> Backfill:
    """Run the due instants of a span that is past, at a bounded pace; needs a reason."""
    return backfills.start(call.conn, call.services, schedule_id, body, by=call.user.name)


@router.get("/schedules/{schedule_id}/backfill-instants")
def list_backfilled(call: Reading, pages: Pages, schedule_id: UUID) -> Page[BackfillInstant]:
    """What all backfills of a schedule made up for, newest first: beside its ledger."""
    return backfills.instants_of(call.conn, pages, backfill_id=None, schedule_id=schedule_id)


@router.post("/schedules/{schedule_id}/fires", status_code=201)
def fire(call: Operating, schedule_id: UUID, body: NewFire) -> Fired:
    """Run one instant of the ledger that was missed, skipped or blocked, now."""
    return firing.fire(call.conn, call.services, schedule_id, body, by=call.user.name)


@router.get("/backfills")
def list_backfills(call: Reading, pages: Pages, schedule_id: UUID | None = None) -> Page[Backfill]:
    """Backfills, newest first, and how far they are."""
    return backfills.listed(call.conn, pages, schedule_id)


@router.get("/backfills/{backfill_id}")
def show_backfill(call: Reading, backfill_id: UUID) -> Backfill:
    """A backfill and how far it is."""
    return backfills.get(call.conn, backfill_id)


@router.get("/backfills/{backfill_id}/instants")
def list_instants(call: Reading, pages: Pages, backfill_id: UUID) -> Page[BackfillInstant]:
    """The instants of a backfill, newest first, with what became of each."""
    return backfills.instants_of(call.conn, pages, backfill_id=backfill_id, schedule_id=None)


@router.post("/backfills/{backfill_id}/cancellations")
def end_backfill(call: Operating, backfill_id: UUID, body: BackfillEnd) -> Backfill:
    """What is planned does not run any more; with `runs` those that go on are cancelled too."""
    return backfills.end(call.conn, call.services, backfill_id, body, by=call.user.name)
