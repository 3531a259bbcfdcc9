"""Routes that a signed link opens without a token: a report, a badge; and those that make links."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from stepwell import clock
from stepwell.server.access.records import Role
from stepwell.server.audit import service as audit
from stepwell.server.http import Call, Router, services_of, writes
from stepwell.server.reports import badge, service, sharing
from stepwell.server.reports.api import SANDBOX, headers, shown_as
from stepwell.server.reports.records import NewBadge, NewShare, SharedLink
from stepwell.server.runs import service as runs

router = Router(tags=["reports"])

_PUBLIC: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}

Sharing = Annotated[Call, writes(Role.OPERATOR, secret=True)]


@router.post("/reports/{report_id}/shares", status_code=201)
def share_report(call: Sharing, report_id: UUID, body: NewShare) -> SharedLink:
    """A link to a report, or to the newest one of its name, for people without an account."""
    report = service.get(call.conn, report_id)
    of = {"group": report.group, "workflow": report.workflow, "name": report.name}
    about = of if body.latest else {"id": str(report_id)}
    target = f"{report.group}/{report.workflow}/{report.name}"
    link = _link(call, "report", "shared/reports", about, body.days)
    details = {"report": str(report_id), "latest": body.latest, "until": str(link.expires_at)}
    audit.record(call.conn, call.user.name, "report.share", target, body.reason, details)
    return link


@router.get("/shared/reports/{token}", response_class=Response)
def shared_report(request: Request, token: str) -> Response:
    """The content that a link opens, under the headers of all reports (R43)."""
    services = services_of(request)
    said = sharing.opened(services.settings.signing_key, "report", token)
    with services.db.read() as conn:
        if "id" in said:
            report = service.get(conn, UUID(said["id"]))
        else:
            report = service.latest(conn, said["group"], said["workflow"], said["name"])
        body = service.content(conn, services.blobs, report.id)
    return Response(body, media_type=shown_as(report), headers={**headers(report), **_PUBLIC})


@router.post("/workflows/{group}/{workflow}/badges", status_code=201)
def make_badge(call: Sharing, group: str, workflow: str, body: NewBadge) -> SharedLink:
    """A link to a drawing that says whether the workflow's last run succeeded."""
    runs.check_workflow(call.conn, group, workflow)
    about = {"group": group, "workflow": workflow}
    link = _link(call, "badge", "shared/badges", about, body.days)
    target, details = f"{group}/{workflow}", {"until": str(link.expires_at)}
    audit.record(call.conn, call.user.name, "badge.share", target, body.reason, details)
    return link


@router.get("/shared/badges/{token}", response_class=Response)
def shown_badge(request: Request, token: str) -> Response:
    """The badge that a link opens."""
    services = services_of(request)
    said = sharing.opened(services.settings.signing_key, "badge", token)
    with services.db.read() as conn:
        state = runs.last_state(conn, said["group"], said["workflow"])
    safe = {"Content-Security-Policy": SANDBOX, "X-Content-Type-Options": "nosniff"}
    drawing = badge.drawn(said["workflow"], state)
    return Response(drawing, media_type="image/svg+xml", headers={**safe, **_PUBLIC})


def _link(call: Call, what: str, path: str, about: dict[str, str], days: float) -> SharedLink:
    until = clock.now() + timedelta(days=days)
    settings = call.services.settings
    token = sharing.made(settings.signing_key, what, about, until)
    return SharedLink(url=f"{settings.url}/api/v1/{path}/{token}", expires_at=until)
