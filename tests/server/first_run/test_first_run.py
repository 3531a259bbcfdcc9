"""The checklist of a new server ticks itself; the demo comes, runs, and goes without a trace."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.cli.shell import wait as until
from tests.server.support import Api, on_both, problem

from stepwell.server.app import Server
from stepwell.server.database.tables import reports, runs
from stepwell.server.first_run.loading import GROUP

pytestmark = pytest.mark.slow


def start(client: TestClient, workflow: str) -> str:
    answer = client.post(f"workflows/{GROUP}/{workflow}/runs", json={})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def state(client: TestClient, run_id: str) -> str:
    return str(client.get(f"runs/{run_id}").json()["state"])


def has_succeeded(client: TestClient, run_id: str) -> bool:
    return state(client, run_id) == "succeeded"


def why(client: TestClient, run_id: str) -> str | None:
    reason = client.get(f"runs/{run_id}/why").json()["reason"]
    return reason and str(reason["code"])


def accept(client: TestClient) -> None:
    newest = client.get(f"groups/{GROUP}/discoveries").json()["items"][0]
    at = f"groups/{GROUP}/discoveries/{newest['id']}/decisions"
    answer = client.post(at, json={"rest": "accept", "reason": "a demo"})
    assert answer.status_code == 201, answer.text


def all_found(client: TestClient) -> bool:
    """Whether no discovery goes on: the first may have begun when the demo is loaded again."""
    found = client.get(f"groups/{GROUP}/discoveries").json()["items"]
    return all(one["state"] == "succeeded" for one in found)


def items(client: TestClient) -> dict[str, dict[str, Any]]:
    found = client.get("first-run").json()
    return {one["task"]: one for one in found["items"]}


def ticks(client: TestClient) -> list[str]:
    return [task for task, one in items(client).items() if one["done"]]


@on_both
def test_a_new_server_has_done_nothing_yet(server: Server, api: Api) -> None:
    client = api("admin")
    found = client.get("first-run").json()
    assert [one["task"] for one in found["items"]] == [
        "engine",
        "find",
        "review",
        "run",
        "schedule",
        "own",
    ]
    assert (found["done"], found["demo"], found["demo_group"]) == (False, "absent", GROUP)
    assert ticks(client) == []
    assert items(client)["engine"]["fix"]
    for one in found["items"]:
        assert one["seen"].endswith(".")
        assert one["command"].startswith("stepwell ")
        assert one["href"].startswith("/")


def test_where_the_data_is_is_said_without_the_password(server: Server, api: Api) -> None:
    facts = items(api("viewer"))["engine"]["facts"]
    assert facts["database"].startswith("sqlite:///")
    assert facts["version"]
    assert facts["data_dir"] == str(server.settings.data_dir.resolve())


def test_an_account_of_a_person_ticks_the_last_line(server: Server, api: Api) -> None:
    client = api("admin")
    assert items(client)["own"]["facts"]["people"] == 0
    client.post("users", json={"name": "anna", "role": "admin"})
    assert "own" in ticks(client)


def test_what_went_wrong_is_told_with_what_to_do(live: Server, api: Api) -> None:
    client = api("admin")
    client.post("groups", json={"name": "broken", "image": "/nowhere/broken.py"})
    until(lambda: client.get("groups/broken/discoveries").json()["items"][0]["state"] == "failed")
    found = items(client)["find"]
    assert found["done"] is False
    assert "broken:" in found["seen"]
    assert found["fix"]


def test_the_demo_cannot_be_loaded_where_no_process_may_be_started(
    server: Server, api: Api
) -> None:
    client = api("admin")
    problem(api("reviewer").post("first-run/demo", json={}), 403, "role-missing")
    problem(client.delete("first-run/demo"), 404, "no-demo")
    object.__setattr__(server.services, "launchers", {})
    problem(client.post("first-run/demo", json={}), 409, "launcher-off")
    assert client.get("first-run").json()["demo"] == "absent"


def test_the_demo_goes_the_whole_way_and_leaves_no_run(live: Server, api: Api) -> None:
    client = api("admin")
    assert "engine" in ticks(client)
    assert client.post("first-run/demo", json={}).json()["demo"] == "loaded"
    assert client.post("first-run/demo", json={}).status_code == 201
    until(partial(all_found, client))
    assert client.get("reviews").json()["items"]
    assert ticks(client) == ["engine", "find"]

    accept(client)
    assert ticks(client) == ["engine", "find", "review"]
    began = {name: start(client, name) for name in ("sum-up-orders", "fetch-prices")}
    waits = start(client, "publish-prices")
    for run in began.values():
        until(partial(has_succeeded, client, run))
    assert "run" in ticks(client)
    tries = client.get(f"runs/{began['fetch-prices']}/steps").json()["items"][0]
    assert tries["executions"] == 3
    until(lambda: why(client, waits) == "APPROVAL")

    assert client.delete("first-run/demo").json()["demo"] == "removing"
    until(lambda: client.get("first-run").json()["demo"] == "absent")
    with live.db.read() as conn:
        assert conn.execute(runs.select()).all() == []
        assert conn.execute(reports.select()).all() == []
    assert client.get("groups").json()["items"] == []
    assert ticks(client) == ["engine"]

    again = client.post("first-run/demo", json={}).json()
    assert again["demo"] == "loaded"


def test_the_demo_is_marked_as_such(live: Server, api: Api) -> None:
    client = api("admin")
    client.post("first-run/demo", json={})
    until(lambda: client.get("reviews").json()["items"])
    newest = client.get(f"groups/{GROUP}/discoveries").json()["items"][0]
    detail = client.get(f"discoveries/{newest['id']}").json()
    tags = [one["tags"] for one in detail["manifest"]["workflows"]]
    assert [("demo" in one) for one in tags] == [True, True, True]


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_everybody_sees_the_list_and_only_an_admin_loads_the_demo(api: Api, role: str) -> None:
    assert api(role).get("first-run").status_code == 200
    problem(api(role).post("first-run/demo", json={}), 403, "role-missing")
