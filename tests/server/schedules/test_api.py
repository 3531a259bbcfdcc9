"""The routes of schedules: what people can do, see, and are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from starlette.testclient import TestClient
from tests.server.schedules.support import Hands, entry, release, synced, ticked
from tests.server.support import Api, on_both, problem

from stepwell.server.app import Server
from stepwell.server.database.tables import ledger, runs, schedules
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.ledger.books import Books, Settled

DAILY = {"kind": "cron", "expression": "30 7 * * *", "timezone": "Europe/Oslo"}
HOURLY = {"kind": "interval", "seconds": 3600}
PLAIN = {"jitter": 0, "excluded": None, "skipped": None, "overlaps": False}
NEW = {"group": "weather", "workflow": "nightly", "name": "extra", "spec": HOURLY}


@pytest.fixture
def client(api: Api) -> TestClient:
    return api("operator")


@pytest.fixture
def added(client: TestClient) -> dict[str, Any]:
    """A schedule that the operator has added."""
    answer = client.post("schedules", json=NEW)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
def source(client: TestClient, server: Server) -> dict[str, Any]:
    """The schedule that the source declares."""
    synced(server, release(server, entry("nightly", DAILY)))
    [found] = client.get("schedules").json()["items"]
    return dict(client.get(f"schedules/{found['id']}").json())


# -- previews ----------------------------------------------------------------------


def test_a_preview_shows_fires_in_utc_and_on_the_clock(api: Api) -> None:
    body = {"spec": DAILY, "after": "2026-03-28T12:00:00Z", "count": 2}
    answer = api("viewer").post("schedule-previews", json=body)
    assert answer.json() == {
        "description": "At 07:30 every day (Europe/Oslo)",
        "fires": [
            {"at": "2026-03-29T05:30:00Z", "local": "2026-03-29T07:30:00+02:00", **PLAIN},
            {"at": "2026-03-30T05:30:00Z", "local": "2026-03-30T07:30:00+02:00", **PLAIN},
        ],
        "notes": [],
        "observed": None,
        "overlaps": 0,
        "says": [],
    }


def test_a_preview_of_a_schedule_that_ends_has_fewer_fires(client: TestClient) -> None:
    spec = {"kind": "once", "at": "2030-01-01T00:00:00Z"}
    answer = client.post("schedule-previews", json={"spec": spec})
    assert [one["at"] for one in answer.json()["fires"]] == ["2030-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("spec", "code", "said"),
    [
        ({"kind": "cron", "expression": "61 * * * *"}, "cron-invalid", "minute field '61'"),
        ({**DAILY, "timezone": "Europe/Olso"}, "timezone-unknown", "Europe/Oslo"),
        ({"kind": "interval", "seconds": 0}, "interval-invalid", "0 seconds"),
        ({"kind": "sometimes"}, "schedule-invalid", "cron, interval, once"),
        ({"kind": "cron", "expression": 5}, "cron-invalid", "5 is not"),
        ({"kind": "cron", "expression": "0 7 * * *", "start": 5}, "schedule-invalid", "start"),
    ],
)
def test_a_mistake_in_a_schedule_is_named(
    client: TestClient, spec: dict[str, Any], code: str, said: str
) -> None:
    answer = client.post("schedule-previews", json={"spec": spec})
    assert said in str(problem(answer, 422, code))


# -- add, change, remove -----------------------------------------------------------


def test_an_added_schedule_is_shown_with_its_next_fires(
    client: TestClient, added: dict[str, Any]
) -> None:
    assert added["origin"] == "added"
    assert added["description"] == "Every hour"
    assert added["next_due"] == "2026-05-01T13:00:00Z"
    assert len(added["fires"]) == 10
    assert added["fires"][0]["at"] == added["next_due"]
    assert client.get(f"schedules/{added['id']}").json() == added


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"workflow": "unknown"}, 404, "workflow-not-released"),
        ({"group": "unknown"}, 404, "workflow-not-released"),
        ({"name": "default"}, 409, "schedule-exists"),
        ({"spec": {"kind": "once", "at": "2020-01-01T00:00:00Z"}}, 422, "schedule-never-due"),
        ({"spec": {**HOURLY, "overlap": "sometimes"}}, 422, "schedule-invalid"),
        ({"parameters": {"limit": "many"}}, 422, "parameters-invalid"),
        ({"parameters": {"unknown": 1}}, 422, "parameters-invalid"),
    ],
)
def test_what_cannot_be_added_is_refused_and_changes_nothing(
    client: TestClient, more: dict[str, Any], status: int, code: str
) -> None:
    problem(client.post("schedules", json={**NEW, **more}), status, code)
    assert client.get("schedules").json()["items"] == []


def test_a_name_is_given_once(client: TestClient, added: dict[str, Any]) -> None:
    problem(client.post("schedules", json=NEW), 409, "schedule-exists")


def test_a_removed_schedule_is_gone_and_its_name_is_free(
    client: TestClient, added: dict[str, Any]
) -> None:
    assert client.delete(f"schedules/{added['id']}").status_code == 200
    problem(client.get(f"schedules/{added['id']}"), 404, "schedule-not-found")
    again = client.post("schedules", json={**NEW, "spec": DAILY})
    assert again.status_code == 201, again.text
    assert again.json()["id"] == added["id"], "its ledger goes on"
    assert client.get(f"schedules/{added['id']}/audit").json()["unbroken"]


@on_both
def test_a_change_raises_the_version_and_keeps_the_chain(
    client: TestClient, added: dict[str, Any], server: Server, hands: Hands
) -> None:
    hands.move(minutes=1)
    changed = client.patch(f"schedules/{added['id']}", json={"spec": DAILY}).json()
    assert (changed["version"], changed["origin"]) == (2, "added")
    assert changed["next_due"] == "2026-05-02T05:30:00Z"
    hands.move(days=1)
    ticked(server)
    audit = client.get(f"schedules/{added['id']}/audit").json()
    assert audit["unbroken"], audit
    assert audit["by_fate"] == {"ran": 1}


def test_what_comes_from_the_source_is_overridden_with_a_reason(
    client: TestClient, source: dict[str, Any]
) -> None:
    path = f"schedules/{source['id']}"
    problem(client.patch(path, json={"spec": HOURLY}), 422, "reason-missing")
    changed = client.patch(path, json={"spec": HOURLY, "reason": "a busy week"}).json()
    assert (changed["origin"], changed["override_reason"]) == ("overridden", "a busy week")
    assert changed["source"] == DAILY
    back = client.delete(f"{path}/override").json()
    assert (back["origin"], back["override_reason"], back["source"]) == ("source", None, None)
    assert back["next_due"] == source["next_due"]
    problem(client.delete(f"{path}/override"), 409, "schedule-not-overridden")
    assert client.get(f"{path}/audit").json()["unbroken"]


@on_both
def test_the_list_shows_overrides_beside_what_the_source_says(
    client: TestClient, source: dict[str, Any], added: dict[str, Any]
) -> None:
    """R31: the operator sees that it is overridden, by whom, why, and that the source differs."""
    client.patch(f"schedules/{source['id']}", json={"spec": HOURLY, "reason": "a busy week"})
    items = client.get("schedules").json()["items"]
    shown = {one["origin"]: (one["source"], one["source_differs"]) for one in items}
    assert shown == {"overridden": (DAILY, True), "added": (None, False)}
    assert {one["override_reason"] for one in items} == {"a busy week", None}
    same = client.patch(f"schedules/{source['id']}", json={"spec": DAILY, "reason": "x"}).json()
    assert (same["origin"], same["source_differs"]) == ("overridden", False)


def test_what_comes_from_the_source_cannot_be_removed(
    client: TestClient, source: dict[str, Any]
) -> None:
    problem(client.delete(f"schedules/{source['id']}"), 409, "schedule-from-source")


def test_a_change_that_does_not_fit_changes_nothing(
    client: TestClient, added: dict[str, Any]
) -> None:
    path = f"schedules/{added['id']}"
    answer = client.patch(path, json={"spec": DAILY, "parameters": {"limit": "x"}})
    problem(answer, 422, "parameters-invalid")
    assert client.get(path).json() == added


# -- pauses and runs ---------------------------------------------------------------


def test_pause_and_resume(client: TestClient, added: dict[str, Any]) -> None:
    path = f"schedules/{added['id']}/pauses"
    paused = client.post(path, json={"reason": "too hot"})
    assert (paused.status_code, paused.json()["pause_reason"]) == (201, "too hot")
    assert "too hot" in problem(client.post(path, json={}), 409, "schedule-paused")["why"]
    assert client.delete(path).json()["paused_at"] is None
    problem(client.delete(path), 409, "schedule-not-paused")


def test_run_now_needs_no_due_instant(client: TestClient, added: dict[str, Any]) -> None:
    answer = client.post(f"schedules/{added['id']}/runs", json={"parameters": {"limit": 5}})
    assert answer.status_code == 201
    run = client.get(f"runs/{answer.json()['run_id']}").json()
    assert (run["trigger"], run["schedule_id"]) == ("request", added["id"])
    assert run["parameters"] == {"limit": 5}
    answer = client.post(f"schedules/{added['id']}/runs", json={"parameters": {"limit": "x"}})
    problem(answer, 422, "parameters-invalid")


def test_a_schedule_out_of_force_cannot_be_run_or_paused(
    client: TestClient, server: Server, source: dict[str, Any]
) -> None:
    synced(server, release(server, entry("other")))
    path = f"schedules/{source['id']}"
    problem(client.post(f"{path}/runs", json={}), 409, "schedule-inactive")
    problem(client.post(f"{path}/pauses", json={}), 409, "schedule-inactive")
    assert client.get("schedules").json()["items"] == []
    assert len(client.get("schedules", params={"active": False}).json()["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "schedules"),
        ("PATCH", "schedules/{id}"),
        ("DELETE", "schedules/{id}"),
        ("POST", "schedules/{id}/pauses"),
        ("DELETE", "schedules/{id}/pauses"),
        ("POST", "schedules/{id}/runs"),
    ],
)
def test_a_viewer_changes_nothing(api: Api, added: dict[str, Any], method: str, path: str) -> None:
    body = None if method == "DELETE" else NEW if path == "schedules" else {}
    answer = api("viewer").request(method, path.format(id=added["id"]), json=body)
    problem(answer, 403, "role-missing")


def test_every_act_is_in_the_audit_log(client: TestClient, api: Api, added: dict[str, Any]) -> None:
    path = f"schedules/{added['id']}"
    client.post(f"{path}/pauses", json={"reason": "too hot"})
    client.delete(f"{path}/pauses", params={"reason": "cooler"})
    client.post(f"{path}/runs", json={})
    found = api("reviewer").get("audit", params={"target": "weather/nightly/extra"}).json()["items"]
    assert [(one["action"], one["reason"]) for one in found] == [
        ("schedule.run", None),
        ("schedule.resume", "cooler"),
        ("schedule.pause", "too hot"),
        ("schedule.add", None),
    ]


# -- the ledger --------------------------------------------------------------------


def test_the_list_shows_what_became_of_the_latest_instant(
    client: TestClient, added: dict[str, Any], server: Server, hands: Hands
) -> None:
    hands.move(hours=3.5)
    ticked(server)
    [item] = client.get("schedules", params={"group": "weather"}).json()["items"]
    assert item["last"]["fate"] == "ran"
    assert item["last"]["due"] == "2026-05-01T15:00:00Z"
    assert item["next_due"] == "2026-05-01T16:00:00Z"


@on_both
def test_the_ledger_is_paged_and_filtered(
    client: TestClient, added: dict[str, Any], server: Server, hands: Hands
) -> None:
    hands.move(hours=3.5)
    ticked(server)
    path = f"schedules/{added['id']}/ledger"
    first = client.get(path, params={"limit": 2}).json()
    assert [(one["fate"], one["count"]) for one in first["items"]] == [("ran", 1), ("missed", 2)]
    rest = client.get(path, params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["fate"] for one in rest["items"]] == ["changed"]
    missed = client.get(path, params={"fate": "missed"}).json()["items"]
    assert [one["why"] for one in missed] == ["down"]
    late = client.get(path, params={"from": "2026-05-01T15:00:00Z"}).json()["items"]
    assert [one["fate"] for one in late] == ["ran"]


@on_both
def test_the_audit_proves_the_chain_of_a_span(
    client: TestClient, added: dict[str, Any], server: Server, hands: Hands
) -> None:
    for _ in range(4):
        hands.move(hours=1)
        ticked(server)
    path = f"schedules/{added['id']}/audit"
    span = {"from": "2026-05-01T14:00:00Z", "to": "2026-05-01T16:00:00Z"}
    audit = client.get(path, params=span).json()
    assert audit["unbroken"], audit
    assert (audit["breaks"], audit["advice"]) == ([], [])
    assert client.get(path).json()["accounted"] == 4


def test_the_audit_finds_a_line_that_was_taken_away(
    client: TestClient, added: dict[str, Any], server: Server, hands: Hands
) -> None:
    for _ in range(3):
        hands.move(hours=1)
        ticked(server)
        with server.db.write() as conn:
            conn.execute(runs.update().values(state="succeeded"))
    with server.db.write() as conn:
        second = ledger.c.first_due == hands.now().replace(hour=14)
        assert conn.execute(delete(ledger).where(second)).rowcount == 1
    audit = client.get(f"schedules/{added['id']}/audit").json()
    assert not audit["unbroken"]
    assert "expects 2026-05-01T14:00:00Z" in audit["breaks"][0]


def test_the_audit_finds_a_next_due_that_was_moved_by_hand(
    client: TestClient, added: dict[str, Any], server: Server, hands: Hands
) -> None:
    with server.db.write() as conn:
        conn.execute(schedules.update().values(next_due=hands.now().replace(year=2030)))
    audit = client.get(f"schedules/{added['id']}/audit").json()
    assert not audit["unbroken"]


def test_more_than_one_pass_is_left_to_the_tick(
    client: TestClient, added: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Books, "settle", lambda *_: Settled(0, None, more=True))
    answer = client.post(f"schedules/{added['id']}/pauses", json={})
    problem(answer, 409, "schedule-catching-up")
    assert client.get(f"schedules/{added['id']}").json()["paused_at"] is None


def test_the_grace_is_a_setting(server: Server) -> None:
    settings = replace(server.settings, schedule_grace=5.0)
    books = changing.books_of(replace(server.services, settings=settings))
    assert books.rules.grace == timedelta(seconds=5)
