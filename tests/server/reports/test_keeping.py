"""Which reports are kept, and for how long; how they differ; links for everybody."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.reports.test_api import add, run_id
from tests.server.runs.support import GROUP, WORKFLOW
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.blobs import service as blobs
from stepwell.server.blobs.service import Kind
from stepwell.server.database.tables import reports
from stepwell.server.reports import kept, service, sharing
from stepwell.server.reports.api import SANDBOX
from stepwell.server.reports.badge import drawn
from stepwell.server.reports.records import Content, NewReport, Origin

__all__ = ["run_id"]


def offer(server: Server, run_id: UUID, name: str = "rows", **keep: Any) -> UUID | None:
    """A report of an operation that has succeeded."""
    origin = Origin(
        group=GROUP, workflow=WORKFLOW, operation="load", run_id=run_id, step_id=new_id()
    )
    new = NewReport(name=name, kind="text", media_type="text/plain", **keep)
    with server.db.write() as conn:
        return service.add(conn, new, Content(1, b"x"), origin)


@on_both
def test_one_of_so_many_is_kept_and_the_first_one_is(server: Server, run_id: UUID) -> None:
    offered = [offer(server, run_id, every=3) is not None for _ in range(7)]
    assert offered == [True, False, False, True, False, False, True]
    assert offer(server, run_id, "other", every=3) is not None
    assert [offer(server, run_id, "none", every=0) for _ in range(2)] == [None, None]


@on_both
def test_reports_go_when_their_time_is_over(server: Server, run_id: UUID) -> None:
    """Those that say how long, after that; the others as the server is set."""
    offer(server, run_id, "short", keep_days=1)
    offer(server, run_id, "long", keep_days=400)
    offer(server, run_id, "usual")
    usual, dated = kept.KINDS
    later = clock.now() + timedelta(days=2)
    assert (dated.count(server.services, later, 10), usual.count(server.services, later, 10)) == (
        1,
        1,
    )
    assert dated.sweep(server.services, later, 10) == 1
    with server.db.read() as conn:
        names = list(conn.exec_driver_sql("SELECT name FROM reports ORDER BY name").scalars())
    assert names == ["long", "usual"]
    assert usual.sweep(server.services, later, 10) == 1


def test_a_large_report_lies_in_the_blob_store_and_goes_with_its_row(
    server: Server, api: Api, run_id: UUID
) -> None:
    blob_id = blobs.upload(server.services.blobs, b"large")
    origin = Origin(
        group=GROUP, workflow=WORKFLOW, operation="load", run_id=run_id, step_id=new_id()
    )
    new = NewReport(name="large", kind="text", media_type="text/plain")
    with server.db.write() as conn:
        blobs.enter(conn, blob_id, Kind.REPORT, 5, run_id)
        made = service.add(conn, new, Content(5, blob_id=blob_id), origin)
    assert api("viewer").get(f"/reports/{made}/content").content == b"large"
    with server.db.write() as conn:
        service.remove(conn, reports.c.run_id == run_id, 10)
        dropped = conn.exec_driver_sql("SELECT dropped_at FROM blobs").scalar_one()
    assert dropped is not None


def table(*rows: list[Any]) -> bytes:
    return json.dumps({"columns": ["id", "n"], "rows": rows}).encode()


JSON = {"kind": "json", "media_type": "application/json"}


@pytest.mark.parametrize(
    ("kind", "old", "new", "changes"),
    [
        (
            "json",
            b'{"a":1,"b":[1,2]}',
            b'{"a":2,"b":[1]}',
            [("/a", "changed"), ("/b/1", "removed")],
        ),
        ("json", b"1", b"true", [("", "changed")]),
        ("json", b"broken", b"{}", []),
        (
            "table",
            table(["x", 1], ["y", 2]),
            table(["y", 3], ["z", 4]),
            [("/rows/x", "removed"), ("/rows/y/n", "changed"), ("/rows/z", "added")],
        ),
        (
            "table",
            table(["x", 1], ["x", 2]),
            table(["x", 1], ["x", 3]),
            [("/rows/1/1", "changed")],
        ),
    ],
)
def test_a_report_is_compared_with_the_one_before_it(
    server: Server,
    api: Api,
    run_id: UUID,
    kind: str,
    old: bytes,
    new: bytes,
    changes: list[tuple[str, str]],
) -> None:
    """Rows of tables by their first column, where that tells them apart."""
    about = {"kind": kind, "media_type": "application/json"}
    add(server, run_id, content=old, **about)
    add(server, run_id, "other", content=b"{}", **about)
    made = add(server, run_id, content=new, **about)
    found = api("viewer").get(f"/reports/{made}/comparison").json()
    assert [(one["path"], one["kind"]) for one in found["changes"]] == changes
    assert not found["same"]


def test_text_is_compared_by_lines_and_a_first_report_with_nothing(
    server: Server, api: Api, run_id: UUID
) -> None:
    first = add(server, run_id, content=b"a\nb")
    second = add(server, run_id, content=b"a\nc")
    client = api("viewer")
    assert client.get(f"/reports/{second}/comparison").json()["diff"][-3:] == [" a", "-b", "+c"]
    alone = client.get(f"/reports/{first}/comparison").json()
    assert (alone["previous"], alone["same"], alone["diff"]) == (None, False, [])
    same = client.get(f"/reports/{first}/comparison", params={"other": str(first)}).json()
    assert same["same"]


def opened(api: Api, link: dict[str, Any]) -> Any:
    """What a link shows to somebody without a token."""
    return api(None).get(link["url"].partition("/api/v1")[2])


def test_a_link_shows_one_report_to_everybody_under_the_same_headers(
    server: Server, api: Api, run_id: UUID
) -> None:
    made = add(server, run_id, content=b"<script>x</script>", kind="html", media_type="text/html")
    client: TestClient = api("operator")
    link = client.post(f"/reports/{made}/shares", json={"days": 1, "reason": "board"}).json()
    answer = opened(api, link)
    assert answer.content == b"<script>x</script>"
    assert answer.headers["Content-Security-Policy"] == SANDBOX
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    entry = api("admin").get("/audit", params={"action": "report.share"}).json()["items"][0]
    assert entry["reason"] == "board"
    assert link["url"].rpartition("/")[2] not in json.dumps(entry)


def test_a_link_to_the_latest_follows_the_name(server: Server, api: Api, run_id: UUID) -> None:
    made = add(server, run_id, content=b"old")
    link = api("operator").post(f"/reports/{made}/shares", json={"latest": True}).json()
    add(server, run_id, content=b"new")
    assert opened(api, link).content == b"new"
    where = {"group": GROUP, "workflow": WORKFLOW, "name": "rows"}
    assert api("viewer").get("/reports/latest/content", params=where).content == b"new"


def test_a_link_ends_and_opens_nothing_else(
    server: Server, api: Api, run_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add(server, run_id)
    link = api("operator").post(f"/reports/{made}/shares", json={"days": 1}).json()
    path, _, secret = link["url"].partition("/api/v1")[2].rpartition("/")
    other = "B" if secret.startswith("A") else "A"
    for broken in ("x", secret[:-2], other + secret[1:], secret + "AAAA", "é"):
        problem(api(None).get(f"{path}/{broken}"), 404, "shared-link-invalid")
    problem(api(None).get(f"/shared/badges/{secret}"), 404, "shared-link-invalid")
    key = server.settings.signing_key
    with pytest.raises(sharing.LinkInvalid):
        sharing.opened(key + b"x", "report", secret)
    later = clock.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(sharing.LinkInvalid):
        sharing.opened(key, "report", secret)


def test_a_viewer_makes_no_link(server: Server, api: Api, run_id: UUID) -> None:
    made = add(server, run_id)
    problem(api("viewer").post(f"/reports/{made}/shares", json={}), 403, "role-missing")


def test_a_badge_says_in_words_how_the_last_run_ended(
    server: Server, api: Api, run_id: UUID
) -> None:
    path = f"/workflows/{GROUP}/{WORKFLOW}/badges"
    link = api("operator").post(path, json={}).json()
    assert "nightly: no runs" in opened(api, link).text
    for state, word in (("failed", "failing"), ("succeeded", "passing")):
        with server.db.write() as conn:
            conn.exec_driver_sql(f"UPDATE runs SET state = '{state}'")
        answer = opened(api, link)
        assert f"nightly: {word}" in answer.text
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert answer.headers["Content-Security-Policy"] == SANDBOX
    missing = api("operator").post(f"/workflows/{GROUP}/none/badges", json={})
    problem(missing, 404, "workflow-not-released")


def test_a_badge_escapes_what_it_shows() -> None:
    assert "<b>" not in drawn('a<b>"', "failed")
