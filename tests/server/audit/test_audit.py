"""Who did what is found again, and cannot be changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.server.support import Api, problem

from stepwell import clock
from stepwell.server.app import Server
from stepwell.server.audit import service as audit


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
