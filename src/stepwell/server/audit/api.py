"""Routes of the room: /audit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from stepwell.server.access.records import Role
from stepwell.server.audit import export, service
from stepwell.server.audit.records import Entry, Filter
from stepwell.server.http import Call, Page, Pages, Router, reads
from stepwell.server.paging import Paging

router = Router(tags=["audit"])

Reading = Annotated[Call, reads(Role.REVIEWER)]


def _filter(
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    address: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Filter:
    return Filter(actor, action, target, address, since, until)


Filtered = Annotated[Any, Depends(_filter)]


@router.get("/audit")
def list_entries(call: Reading, pages: Pages, wanted: Filtered) -> Page[Entry]:
    """The audit log, newest first."""
    return service.listed(call.conn, pages, wanted)


@router.get("/audit/export", response_class=StreamingResponse)
def export_entries(
    call: Reading, wanted: Filtered, format: Literal["csv", "json"] = "csv"
) -> StreamingResponse:
    """All entries that fit, newest first, as one file: CSV, or a JSON array."""
    lines = export.as_csv if format == "csv" else export.as_json
    kind = {"csv": "text/csv; charset=utf-8", "json": "application/json"}[format]
    name = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    service.listed(call.conn, Paging(limit=1), wanted)  # a refusal comes before the file begins
    found = service.every(call.db, wanted)
    return StreamingResponse(lines(found), media_type=kind, headers=name)
