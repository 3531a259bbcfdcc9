"""The routes of runs: who may, what is refused, what is listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import Start
from tests.server.runs.support import GIVEN, GROUP, WORKFLOW, Pod
from tests.server.support import Api

from stepwell.server.app import Server

RUNS = f"/workflows/{GROUP}/{WORKFLOW}/runs"
Pods = Callable[..., Pod]
Work = Callable[..., None]


def count(server: Server, table: str) -> int:
    with server.db.read() as conn:
        return int(conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


@pytest.mark.parametrize(
    ("parameters", "code", "field"),
    [
        ({}, "parameter-missing", "day"),
        ({"day": "tomorrow"}, "parameter-invalid", "day"),
        ({**GIVEN, "limit": "ten"}, "parameter-invalid", "limit"),
        ({**GIVEN, "dya": 1}, "parameter-unknown", "dya"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name_and_start_nothing(
    client: TestClient,
    server: Server,
    parameters: dict[str, Any],
    code: str,
    field: str,
) -> None:
    before = count(server, "stepwell_ready")
    answer = client.post(RUNS, json={"parameters": parameters})
    assert (answer.status_code, answer.json()["code"]) == (422, "parameters-invalid")
    (problem,) = answer.json()["problems"]
    assert problem["code"] == code
    assert field in problem["what"]
    assert (count(server, "runs"), count(server, "stepwell_ready")) == (0, before)


def test_every_misfit_is_listed_at_once(client: TestClient) -> None:
    answer = client.post(RUNS, json={"parameters": {"limit": "ten", "x": 1}})
    assert len(answer.json()["problems"]) == 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/workflows/{GROUP}/hourly/runs", 404, "workflow-not-released"),
        ("/workflows/nobody/nightly/runs", 404, "group-not-found"),
    ],
)
def test_only_what_is_released_runs(client: TestClient, path: str, status: int, code: str) -> None:
    """The error names what there is (R37)."""
    answer = client.post(path, json={"parameters": GIVEN})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["fix"]


def test_an_archived_group_starts_nothing(client: TestClient, api: Api) -> None:
    assert api("admin").post(f"/groups/{GROUP}/archivals", json={}).status_code < 300
    answer = client.post(RUNS, json={"parameters": GIVEN})
    assert (answer.status_code, answer.json()["code"]) == (409, "group-archived")


@pytest.mark.parametrize("path", [RUNS, "/runs/{}/repeats", "/runs/{}/cancellations"])
def test_a_viewer_starts_repeats_and_cancels_nothing(api: Api, start: Start, path: str) -> None:
    answer = api("viewer").post(path.format(start()["id"]), json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


def test_a_run_token_is_no_api_token(client: TestClient, server: Server, start: Start) -> None:
    """It opens the routes of its container and no others (R35)."""
    run = start()
    headers = Pod(client, server, run["id"]).headers
    assert client.get("/runs", headers=headers).status_code == 401


def test_an_api_token_is_no_run_token(api: Api, start: Start) -> None:
    """Not even an admin's: a container is known by its run alone."""
    answer = api("admin").get(f"/runs/{start()['id']}/assignment")
    assert answer.status_code == 401


def test_a_repeat_is_a_new_run_that_names_the_old_one(
    client: TestClient, start: Start, show: Start
) -> None:
    """Edited parameters are validated like any (R41)."""
    run = start()
    same = client.post(f"/runs/{run['id']}/repeats", json={}).json()
    assert (same["repeat_of"], same["parameters"], same["trigger"]) == (run["id"], GIVEN, "repeat")
    other = {"day": "2026-02-01"}
    edited = client.post(f"/runs/{run['id']}/repeats", json={"parameters": other}).json()
    assert edited["parameters"] == other
    wrong = client.post(f"/runs/{run['id']}/repeats", json={"parameters": {}})
    assert wrong.status_code == 422
    assert len({run["id"], same["id"], edited["id"]}) == 3


def test_runs_are_listed_newest_first_by_page_and_filter(client: TestClient, start: Start) -> None:
    ids = [start()["id"] for _ in range(3)]
    client.post(f"/runs/{ids[0]}/cancellations", json={"force": True})
    first = client.get("/runs", params={"limit": 2}).json()
    second = client.get("/runs", params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    waiting = client.get("/runs", params={"state": "waiting"}).json()["items"]
    assert [one["id"] for one in waiting] == ids[:0:-1]
    both = client.get("/runs", params={"state": ["waiting", "cancelled"]}).json()["items"]
    assert len(both) == 3
    assert client.get("/runs", params={"group": "other"}).json()["items"] == []
    assert client.get("/runs", params={"since": "2999-01-01T00:00:00Z"}).json()["items"] == []


def test_the_steps_of_a_run_have_operations_results_and_ends(
    client: TestClient, start: Start, work: Work, pod: Pods
) -> None:
    run = start()
    work()
    pod(run).work(then="load", result='{"rows":3}')
    first, second = client.get(f"/runs/{run['id']}/steps").json()["items"]
    assert (first["operation"], first["ended_as"]) == ("fetch", "done")
    assert first["result"] == {"rows": 3}
    assert (second["operation"], second["status"]) == ("load", "ready")


def test_the_steps_of_a_run_come_in_pages_in_the_order_of_the_work(
    client: TestClient, start: Start, work: Work, pod: Pods
) -> None:
    run = start()
    work()
    pod(run).work(then="load", result='{"rows":3}')
    path, one = f"/runs/{run['id']}/steps", {"limit": 1}
    first = client.get(path, params=one).json()
    second = client.get(path, params={**one, "cursor": first["next"]}).json()
    assert [step["operation"] for step in first["items"] + second["items"]] == ["fetch", "load"]
    assert second["next"] is None
    assert first["as_of"]


def test_the_output_of_an_attempt_is_what_its_launcher_kept(
    client: TestClient, start: Start, work: Work
) -> None:
    run = start()
    assert client.get(f"/runs/{run['id']}/output").json()["text"] == ""
    work()
    answer = client.get(f"/runs/{run['id']}/output").json()
    assert (answer["attempt"], answer["text"]) == (1, f"output of {run['id']}-1\n")
    assert client.get(f"/runs/{run['id']}/output?attempt=7").status_code == 404


def test_an_unknown_run_is_not_found_everywhere(client: TestClient, server: Server) -> None:
    unknown = "01970000-0000-7000-8000-000000000000"
    for path in ("", "/steps", "/output"):
        assert client.get(f"/runs/{unknown}{path}").json()["code"] == "run-not-found"
    assert client.post(f"/runs/{unknown}/repeats", json={}).status_code == 404
    headers = Pod(client, server, unknown).headers
    assert client.get(f"/runs/{unknown}/assignment", headers=headers).status_code == 403


def test_who_started_and_cancelled_is_in_the_audit_log(
    client: TestClient, api: Api, start: Start
) -> None:
    run = start()
    client.post(f"/runs/{run['id']}/cancellations", json={"reason": "wrong day"})
    entries = api("admin").get("/audit").json()["items"]
    told = {entry["action"]: entry for entry in entries}
    assert {"run.start", "run.cancel"} <= told.keys()
    assert told["run.cancel"]["reason"] == "wrong day"


def test_the_same_request_twice_starts_one_run(client: TestClient) -> None:
    """An idempotency key makes running now safe to repeat."""
    answers = [
        client.post(RUNS, json={"parameters": GIVEN}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]
