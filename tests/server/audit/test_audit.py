"""Who did what is found again, and cannot be changed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.errors import StepwellError
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.audit import service as audit
from stepwell.server.audit.records import Filter
from stepwell.server.database import tables
from stepwell.server.paging import Paging
from stepwell.server.retention import service as retention


def entries(server: Server, count: int) -> None:
    with server.db.write() as conn:
        for number in range(count):
            audit.record(conn, "ada", "thing.do", f"thing-{number}", details={"n": number})


def test_entries_come_newest_first_in_pages(server: Server, api: Api) -> None:
    entries(server, 5)
    client = api("reviewer")
    first = client.get("audit?actor=ada&limit=3").json()
    rest = client.get("audit", params={"actor": "ada", "cursor": first["next"]}).json()
    targets = [one["target"] for one in first["items"] + rest["items"]]
    assert targets == [f"thing-{number}" for number in (4, 3, 2, 1, 0)]
    assert (first["limited_to"], rest["next"]) == (3, None)


def test_entries_are_found_by_target_action_and_time(server: Server, api: Api) -> None:
    entries(server, 3)
    client = api("reviewer")
    found = client.get("audit?target=thing-1&action=thing.do").json()["items"]
    assert [one["details"] for one in found] == [{"n": 1}]
    later = (clock.now() + timedelta(hours=1)).isoformat()
    assert client.get("audit", params={"since": later}).json()["items"] == []
    assert len(client.get("audit", params={"until": later, "actor": "ada"}).json()["items"]) == 3


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_the_log_is_for_reviewers_and_admins(api: Api, role: str) -> None:
    problem(api(role).get("audit"), 403, "role-missing")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_route_changes_an_entry(api: Api, method: str) -> None:
    assert api("admin").request(method, "audit").status_code == 405


def test_a_time_without_a_zone_is_refused(api: Api) -> None:
    problem(api("admin").get("audit?since=2026-01-01T00:00:00"), 422, "invalid-input")


# -- append-only, by the database itself -------------------------------------------


def old_entry(server: Server, days: int) -> None:
    values = {"actor": "ada", "action": "thing.do", "target": f"{days} days ago"}
    at = clock.now() - timedelta(days=days)
    with server.db.write() as conn:
        conn.execute(insert(tables.audit).values(id=new_id(), at=at, **values))


def left(server: Server) -> int:
    with server.db.read() as conn:
        return conn.execute(select(func.count()).select_from(tables.audit)).scalar_one()


@on_both
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE audit SET at = at",
        "DELETE FROM audit",
        "DELETE FROM audit_horizon",
        "INSERT INTO audit_horizon (id, before) SELECT 2, before FROM audit_horizon",
    ],
)
def test_the_database_refuses_to_change_the_log(server: Server, statement: str) -> None:
    old_entry(server, 1000)
    with pytest.raises(StepwellError), server.db.write() as conn:
        conn.execute(text(statement))
    assert left(server) == 1


@on_both
def test_the_horizon_never_comes_near(server: Server) -> None:
    near = clock.now() - timedelta(days=29)
    with pytest.raises(StepwellError), server.db.write() as conn:
        conn.execute(tables.audit_horizon.update().values(before=near))


def test_an_entry_is_not_replaced_on_sqlite(server: Server) -> None:
    """That would remove the old one without asking the trigger for removals."""
    old_entry(server, 1)
    with pytest.raises(StepwellError), server.db.write() as conn:
        conn.execute(text("INSERT OR REPLACE INTO audit SELECT * FROM audit"))


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_log_is_not_emptied_on_postgres(server: Server) -> None:
    old_entry(server, 1000)
    with pytest.raises(StepwellError), server.db.write() as conn:
        conn.execute(text("TRUNCATE audit"))


@on_both
def test_retention_removes_what_is_old_and_says_so(server: Server) -> None:
    for days in (1000, 800, 40, 1):
        old_entry(server, days)
    settings = replace(server.settings, keep_audit_days=700)
    services = replace(server.services, settings=settings)
    kind = retention.kind("audit")
    old = retention.before(services, kind)
    assert old is not None
    assert kind.count(services, old, 10) == 2
    assert retention.sweep(services, kind, seconds=10).count == 2
    with server.db.read() as conn:
        (swept,) = audit.listed(conn, _all(), Filter(action="audit.sweep")).items
    assert swept.details["removed"] == 2
    assert left(server) == 3


def _all() -> Paging:
    return Paging(None, 100)


# -- as a file ---------------------------------------------------------------------


@on_both
def test_the_log_is_exported_whole_however_long_it_is(server: Server, api: Api) -> None:
    with server.db.write() as conn:
        for number in range(1101):
            audit.record(conn, "ada", "thing.do", f"thing-{number}", after={"n": number})
    answer = api("reviewer").get("audit/export?format=csv&actor=ada")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["target"] for row in rows] == [f"thing-{n}" for n in range(1100, -1, -1)]
    assert rows[0]["after"] == '{"n": 1100}'
    assert "attachment" in answer.headers["content-disposition"]
    found = api("reviewer").get("audit/export?format=json&target=thing-7").json()
    assert [one["after"] for one in found] == [{"n": 7}]
    assert api("reviewer").get("audit/export?format=json&actor=nobody").json() == []


def test_a_cell_of_the_file_is_never_a_formula(server: Server, api: Api) -> None:
    with server.db.write() as conn:
        audit.record(conn, "ada", "thing.do", "x", reason="=HYPERLINK(1)")
    (row,) = csv.DictReader(io.StringIO(api("reviewer").get("audit/export?actor=ada").text))
    assert row["reason"] == "'=HYPERLINK(1)"


def test_the_file_is_for_reviewers_and_admins(api: Api) -> None:
    problem(api("operator").get("audit/export"), 403, "role-missing")


def test_entries_say_from_where(server: Server, api: Api) -> None:
    client = api("admin")
    client.post("tokens", json={"name": "ci", "role": "viewer"})
    found = client.get("audit?address=testclient").json()["items"]
    assert [one["action"] for one in found] == ["token.issue"]
    assert found[0]["after"] == {"role": "viewer", "groups": None, "read_only": False}
