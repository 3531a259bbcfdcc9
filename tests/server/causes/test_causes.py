"""Failed runs by cause: how they are grouped, cleared and muted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pod
from tests.server.search.support import made
from tests.server.support import on_both, problem

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import cause_mutes, releases, runs
from stepwell.step import EndedAs

Pods = Callable[..., Pod]
Work = Callable[..., None]


def causes(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get("causes", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def failed(fingerprint: str, **more: Any) -> dict[str, Any]:
    return {
        "state": "failed",
        "fingerprint": fingerprint,
        "reason": f"because of {fingerprint}",
        **more,
    }


@on_both
def test_failures_of_one_cause_are_one_line(server: Server, client: TestClient) -> None:
    made(server, *(failed("f1") for _ in range(3)))
    made(server, failed("f1", workflow="hourly"), failed("f2"), {"state": "succeeded"})
    found = causes(client)
    assert (found["causes"], found["runs"]) == (2, 5)
    by_name = {one["fingerprint"]: one for one in found["items"]}
    first = by_name["f1"]
    assert (first["runs"], sum(first["trend"]), len(first["trend"])) == (4, 4, 24)
    assert first["sentence"] == "because of f1"
    assert [(one["workflow"], one["runs"]) for one in first["workflows"]] == [
        ("nightly", 3),
        ("hourly", 1),
    ]
    assert client.get("runs", params={"q": first["query"]}).json()["items"][0]["state"] == "failed"


@on_both
def test_an_operation_that_failed_gives_its_run_the_cause(
    server: Server,
    client: TestClient,
    start: Start,
    work: Work,
    pod: Pods,
    launcher: PlayedLauncher,
    show: Start,
) -> None:
    run = start()
    work()
    pod(run).work(EndedAs.FAILED, description="ValueError: no\n at x", fingerprint="abc123")
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "failed")
    after = show(run)
    assert (after["fingerprint"], after["failed_operation"]) == ("abc123", "fetch")
    (cause,) = causes(client)["items"]
    assert (cause["fingerprint"], cause["operation"]) == ("abc123", "fetch")
    assert cause["newest_run"] == run["id"]


@on_both
def test_containers_lost_for_one_reason_are_one_cause(
    client: TestClient, start: Start, work: Work, launcher: PlayedLauncher, show: Start
) -> None:
    for reason in (
        "Exit 2 on node-17 of 0198f2aa-1111-7000-8000-000000000000",
        "Exit 2 on node-3 of 0198f2aa-1111-7000-8000-000000000001",
    ):
        run = start()
        work()
        launcher.end(f"{run['id']}-1", 2, reason)
        work(lambda: show(run)["state"] == "failed")  # noqa: B023
    (cause,) = causes(client)["items"]
    assert cause["runs"] == 2


@on_both
def test_a_good_repetition_clears_what_it_repeats(
    server: Server,
    client: TestClient,
    start: Start,
    work: Work,
    pod: Pods,
    launcher: PlayedLauncher,
    show: Start,
) -> None:
    run = start()
    client.post(f"runs/{run['id']}/cancellations", json={"force": True})
    with server.db.write() as conn:
        row = runs.c.id == UUID(run["id"])
        conn.execute(update(runs).where(row).values(state="failed", fingerprint="f1"))
    assert causes(client)["causes"] == 1
    again = client.post(f"runs/{run['id']}/repeats", json={}).json()
    work()
    one = pod(again)
    one.work(then="load")
    one.work(then="report")
    one.work()
    launcher.end(f"{again['id']}-1")
    work(lambda: show(again)["state"] == "succeeded")
    assert show(run)["superseded_by"] == again["id"]
    assert causes(client)["items"] == []
    found = client.get("runs", params={"q": "state:superseded"}).json()["items"]
    assert [one["id"] for one in found] == [run["id"]]


@on_both
def test_a_cause_names_the_release_with_which_it_began(server: Server, client: TestClient) -> None:
    made(server, {"state": "succeeded"})
    with server.db.write() as conn:
        old = dict(conn.execute(select(releases)).mappings().one())
        newer = {**old, "id": new_id(), "number": 2, "created_at": clock.now()}
        conn.execute(insert(releases).values(newer))
    made(server, failed("f1", release_id=newer["id"], created_at=clock.now()))
    assert causes(client)["items"][0]["started_after"] == 2


@on_both
def test_a_muted_cause_is_not_shown_until_then(server: Server, client: TestClient) -> None:
    made(server, failed("f1"), failed("f2"))
    until = (clock.now() + timedelta(days=1)).isoformat()
    body = {"until": until, "reason": "the vendor knows"}
    assert client.post("causes/f1/mutes", json=body).status_code == 201
    found = causes(client)
    assert ([one["fingerprint"] for one in found["items"]], found["muted"]) == (["f2"], 1)
    every = {one["fingerprint"]: one["muted"] for one in causes(client, muted=True)["items"]}
    assert every["f2"] is None
    assert every["f1"]["reason"] == "the vendor knows"
    assert client.delete("causes/f1/mutes").status_code == 200
    assert causes(client)["causes"] == 2
    problem(client.delete("causes/f1/mutes"), 404, "cause-not-found")
    problem(client.post("causes/f9/mutes", json=body), 404, "cause-not-found")
    past = {**body, "until": "2020-01-01T00:00:00Z"}
    problem(client.post("causes/f1/mutes", json=past), 422, "invalid-input")


@on_both
def test_causes_come_in_pages_the_one_seen_last_first(server: Server, client: TestClient) -> None:
    made(server, *(failed(f"f{number}") for number in range(5)))
    first = causes(client, limit=3)
    second = causes(client, limit=3, cursor=first["next"])
    names = [one["fingerprint"] for page in (first, second) for one in page["items"]]
    assert names == ["f4", "f3", "f2", "f1", "f0"]
    assert second["next"] is None


@on_both
def test_what_is_muted_in_the_list_is_muted_in_messages_and_the_other_way_round(
    server: Server, client: TestClient
) -> None:
    """One row (decision 093)."""
    made(server, failed("f1"), failed("f2"))
    until = (clock.now() + timedelta(days=1)).isoformat()
    body = {"until": until, "reason": "known"}
    assert client.post("causes/f1/mutes", json=body).status_code == 201
    assert client.post("notifications/mutes", json={**body, "cause": "f2"}).status_code == 201
    listed = client.get("notifications/mutes").json()["items"]
    assert [one["cause"] for one in listed] == ["f1", "f2"]
    assert (causes(client)["items"], causes(client)["muted"]) == ([], 2)
    assert client.delete("notifications/mutes/f1").status_code == 204
    assert [one["fingerprint"] for one in causes(client)["items"]] == ["f1"]


@on_both
def test_what_a_server_of_the_version_before_mutes_is_muted_here_too(
    server: Server, client: TestClient
) -> None:
    """During a rolling upgrade it writes into a table of its own."""
    made(server, failed("f1"))
    values = {"fingerprint": "f1", "reason": "known", "muted_by": "anna", "muted_at": clock.now()}
    for days in (1, 2):
        with server.db.write() as conn:
            until = clock.now() + timedelta(days=days)
            conn.execute(delete(cause_mutes).where(cause_mutes.c.fingerprint == "f1"))
            conn.execute(insert(cause_mutes).values(until=until, **values))
        (muted,) = client.get("notifications/mutes").json()["items"]
        assert muted["until"].startswith(f"{until:%Y-%m-%dT%H:%M}")
        assert causes(client)["muted"] == 1
    with server.db.write() as conn:
        conn.execute(delete(cause_mutes))
    assert client.get("notifications/mutes").json()["items"] == []
