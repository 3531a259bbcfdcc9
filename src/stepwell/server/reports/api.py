"""Routes of the room: /reports, and their content under headers that keep it harmless (R43)."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import Response

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Router, reads
from stepwell.server.reports import service
from stepwell.server.reports.comparing import compared
from stepwell.server.reports.records import Report, ReportComparison

router = Router(prefix="/reports", tags=["reports"])

SANDBOX: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""No scripts, no requests, an origin of its own: whatever the content is."""

_INLINE: Final = frozenset(
    {"text/html", "text/plain", "text/markdown", "application/json", "image/svg+xml"}
    | {"image/png", "image/jpeg", "image/gif", "image/webp"}
)
"""What a browser may show; everything else is a download."""


@router.get("")
def list_reports(
    call: Annotated[Call, reads(Role.VIEWER)],
    pages: Pages,
    run_id: UUID | None = None,
    group: str | None = None,
    workflow: str | None = None,
    operation: str | None = None,
    name: str | None = None,
) -> Page[Report]:
    """Reports, newest first."""
    equal = {"run_id": run_id, "group_name": group, "workflow": workflow}
    return service.listed(call.conn, pages, **equal, operation=operation, name=name)


@router.get("/latest")
def latest(
    call: Annotated[Call, reads(Role.VIEWER)], group: str, workflow: str, name: str
) -> Report:
    """The newest report of one name."""
    return service.latest(call.conn, group, workflow, name)


@router.get("/latest/content", response_class=Response)
def latest_content(
    call: Annotated[Call, reads(Role.VIEWER)], group: str, workflow: str, name: str
) -> Response:
    """The content of the newest report of one name: an address that stays."""
    report = service.latest(call.conn, group, workflow, name)
    body = service.content(call.conn, call.services.blobs, report.id)
    fresh = {**headers(report), "Cache-Control": "private, no-cache"}
    return Response(body, media_type=shown_as(report), headers=fresh)


@router.get("/{report_id}")
def show(call: Annotated[Call, reads(Role.VIEWER)], report_id: UUID) -> Report:
    """One report without its content."""
    return service.get(call.conn, report_id)


@router.get("/{report_id}/comparison")
def compare(
    call: Annotated[Call, reads(Role.VIEWER)], report_id: UUID, other: UUID | None = None
) -> ReportComparison:
    """How it differs from the one of the same name before it, or from another one."""
    report = service.get(call.conn, report_id)
    earlier = service.before(call.conn, report) if other is None else service.get(call.conn, other)
    return compared(call.conn, call.services.blobs, report, earlier)


@router.get("/{report_id}/content", response_class=Response)
def content(call: Annotated[Call, reads(Role.VIEWER)], report_id: UUID) -> Response:
    """The content as it was saved; never run by a browser (R43)."""
    report = service.get(call.conn, report_id)
    body = service.content(call.conn, call.services.blobs, report_id)
    return Response(body, media_type=shown_as(report), headers=headers(report))


def headers(report: Report) -> dict[str, str]:
    """What goes with the content of any report."""
    how = "inline" if report.media_type in _INLINE else "attachment"
    return {
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(report.name, safe='')}",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=31536000, immutable",
    }


def shown_as(report: Report) -> str:
    """The media type that a browser is told: what it might run is a download."""
    return report.media_type if report.media_type in _INLINE else "application/octet-stream"
