"""Routes of the room: /bulk."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from stepwell.server.access.records import Role
from stepwell.server.bulk import service
from stepwell.server.bulk.records import Bulk, BulkPreview, NewBulk
from stepwell.server.http import Call, Page, Pages, Reason, Router, reads, writes

router = Router(prefix="/bulk", tags=["bulk"])

Viewing = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


@router.post("", status_code=202, response_model=Bulk | BulkPreview)
def start_bulk(
    call: Operating,
    body: NewBulk,
    response: Response,
    preview: Annotated[bool, Query(description="Only show what would be done.")] = False,
) -> Bulk | BulkPreview:
    """Do something with all runs that a query finds; follow it at /bulk/{bulk_id}."""
    if preview:
        response.status_code = 200
        return service.preview(call.conn, body, by=call.user.name)
    return service.start(call.conn, call.db, body, by=call.user.name)


@router.get("")
def list_bulk(call: Viewing, pages: Pages) -> Page[Bulk]:
    """Actions on many runs, newest first."""
    return service.listed(call.conn, pages)


@router.get("/{bulk_id}")
def show_bulk(call: Viewing, bulk_id: UUID) -> Bulk:
    """How far it has come, and with which runs it could not be done."""
    return service.get(call.conn, bulk_id)


@router.post("/{bulk_id}/cancellations", status_code=201)
def cancel_bulk(call: Operating, bulk_id: UUID, body: Reason) -> Bulk:
    """Stop; what is done stays done."""
    return service.cancel(call.conn, bulk_id, body.reason, by=call.user.name)
