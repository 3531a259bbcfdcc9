"""Reports: listed, and served so that nothing in them can act (R43)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tests.server.runs.support import GROUP, WORKFLOW, release, started, workflow
from tests.server.support import Api

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.reports import service
from stepwell.server.reports.records import Content, NewReport, Origin
from stepwell.server.reports.service import ReportRefused


@pytest.fixture
def run_id(server: Server) -> UUID:
    release(server, workflow())
    return started(server)


def add(
    server: Server, run_id: UUID, name: str = "rows", content: bytes = b"x", **fields: Any
) -> UUID:
    origin = Origin(
        group=GROUP, workflow=WORKFLOW, operation="load", run_id=run_id, step_id=new_id()
    )
    kinds = {"kind": "text", "media_type": "text/plain", **fields}
    with server.db.write() as conn:
        whole = Content(len(content), content)
        made = service.add(conn, NewReport(name=name, **kinds), whole, origin)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("kind", "media_type", "shown"),
    [
        ("html", "text/html", "inline"),
        ("svg", "image/svg+xml", "inline"),
        ("file", "application/x-sh", "attachment"),
        ("file", "application/xhtml+xml", "attachment"),
        ("file", "text/javascript", "attachment"),
    ],
)
def test_content_is_served_in_a_sandbox(
    server: Server, api: Api, run_id: UUID, kind: str, media_type: str, shown: str
) -> None:
    """Byte for byte, with headers that keep it from acting; unknown types are downloads."""
    content = b"<script>steal()</script>\x00\xff"
    made = add(server, run_id, 'a "b"\u00e9/../c', content, kind=kind, media_type=media_type)
    answer = api("viewer").get(f"/reports/{made}/content")
    assert answer.content == content
    assert answer.headers["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith(f"{shown}; filename*=UTF-8''a%20%22b")
    is_download = shown == "attachment"
    assert answer.headers["Content-Type"].startswith("application/octet-stream") is is_download


def test_reports_are_listed_without_their_content(server: Server, api: Api, run_id: UUID) -> None:
    first, second = add(server, run_id), add(server, run_id, "sums", b"123")
    client = api("viewer")
    items = client.get("/reports", params={"run_id": str(run_id)}).json()["items"]
    assert [item["id"] for item in items] == [str(second), str(first)]
    assert items[0]["size"] == 3
    assert "content" not in items[0]
    by_name = client.get("/reports", params={"workflow": WORKFLOW, "name": "rows"}).json()
    assert [item["id"] for item in by_name["items"]] == [str(first)]
    assert client.get("/reports", params={"run_id": str(new_id())}).json()["items"] == []


def test_the_latest_of_a_name_is_found(server: Server, api: Api, run_id: UUID) -> None:
    add(server, run_id)
    newest = add(server, run_id)
    where = {"group": GROUP, "workflow": WORKFLOW, "name": "rows"}
    assert api("viewer").get("/reports/latest", params=where).json()["id"] == str(newest)
    missing = api("viewer").get("/reports/latest", params={**where, "name": "none"})
    assert (missing.status_code, missing.json()["code"]) == (404, "report-not-found")


def test_a_run_keeps_so_many_reports_and_no_more(
    server: Server, run_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST", 2)
    add(server, run_id)
    add(server, run_id)
    with pytest.raises(ReportRefused, match="at most 2"):
        add(server, run_id)


def test_nobody_reads_a_report_without_a_token(server: Server, api: Api, run_id: UUID) -> None:
    made = add(server, run_id)
    assert api(None).get(f"/reports/{made}/content").status_code == 401


def test_a_report_that_does_not_exist_is_not_found(api: Api) -> None:
    for path in ("", "/content"):
        answer = api("viewer").get(f"/reports/{new_id()}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "report-not-found")
