"""Labels, deadlines, dry runs, progress, and what is different between runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import (
    GIVEN,
    GROUP,
    WORKFLOW,
    Pod,
    release_again,
    settlement,
    workflow,
)
from tests.server.support import Api, on_both, problem

from stepwell.server.app import Server
from stepwell.server.database.tables import groups
from stepwell.step import EndedAs

RUNS = f"/workflows/{GROUP}/{WORKFLOW}/runs"
Pods = Callable[..., Pod]
Work = Callable[..., None]
Show = Callable[[dict[str, Any]], dict[str, Any]]


def begin(client: TestClient, **body: Any) -> dict[str, Any]:
    made = client.post(RUNS, json={"parameters": GIVEN, **body})
    assert made.status_code == 201, made.text
    return dict(made.json())


@on_both
def test_runs_are_found_by_labels_which_can_be_changed(client: TestClient) -> None:
    one = begin(client, labels={"team": "ops", "ticket": "42"})
    other = begin(client, labels={"team": "web"})
    begin(client)

    def having(*labels: str) -> list[str]:
        found = client.get("/runs", params={"label": list(labels)})
        assert found.status_code == 200, found.text
        return [run["id"] for run in found.json()["items"]]

    assert having("team:ops") == [one["id"]]
    assert having("team") == [other["id"], one["id"]]
    assert having("team:ops", "ticket:42") == [one["id"]]
    assert having("team:ops", "ticket:43") == []
    changed = client.patch(f"/runs/{one['id']}", json={"labels": {"team": "web"}}).json()
    assert changed["labels"] == {"team": "web"}
    assert having("team:web") == [other["id"], one["id"]]
    assert having("ticket") == []
    problem(client.get("/runs", params={"label": ":x"}), 422, "label-unreadable")


def test_a_repeat_has_the_labels_of_its_run(client: TestClient) -> None:
    one = begin(client, labels={"team": "ops"})
    assert client.post(f"/runs/{one['id']}/repeats", json={}).json()["labels"] == {"team": "ops"}


@pytest.mark.parametrize("labels", [{"Team": "x"}, {"": "x"}, {"a": "x" * 201}, {"a": 1}])
def test_a_label_that_cannot_be_kept_is_refused(client: TestClient, labels: Any) -> None:
    answer = client.post(RUNS, json={"parameters": GIVEN, "labels": labels})
    assert answer.status_code == 422


def test_changing_a_run_is_in_the_audit_log_with_before_and_after(
    client: TestClient, api: Api
) -> None:
    one = begin(client, labels={"a": "1"})
    client.patch(f"/runs/{one['id']}", json={"labels": {}, "priority": "high", "reason": "late"})
    (entry,) = api("admin").get("/audit", params={"action": "run.change"}).json()["items"]
    assert entry["before"] == {"labels": {"a": "1"}, "priority": "normal"}
    assert entry["after"] == {"labels": {}, "priority": "high"}
    problem(api("viewer").patch(f"/runs/{one['id']}", json={}), 403, "role-missing")


def test_a_run_may_have_a_deadline_of_its_own(client: TestClient) -> None:
    run = begin(client, deadline=60)
    begun, end = (datetime.fromisoformat(run[name]) for name in ("created_at", "deadline_at"))
    assert (end - begun).total_seconds() == 60


def test_a_dry_run_checks_everything_and_starts_nothing(client: TestClient) -> None:
    plan = client.post(RUNS, json={"parameters": GIVEN}, params={"dry_run": True})
    assert plan.status_code == 200
    assert plan.json()["parameters"] == {**GIVEN, "limit": 100}
    assert plan.json()["operations"] == ["fetch", "load", "report"]
    wrong = client.post(RUNS, json={"parameters": {}}, params={"dry_run": True})
    problem(wrong, 422, "parameters-invalid")
    assert client.get("/runs").json()["items"] == []


def test_the_command_to_try_it_has_the_parameters(client: TestClient, show: Show) -> None:
    run = begin(client, parameters={**GIVEN, "limit": 7})
    assert show(run)["reproduce"] == (
        "stepwell run group.py nightly --param day=2026-01-31 --param limit=7"
    )


@on_both
def test_a_run_tells_all_that_it_has_to_do_and_whether_its_release_is_still_in_force(
    client: TestClient, show: Show, server: Server
) -> None:
    run = begin(client)
    assert show(run)["operations"] == ["fetch", "load", "report"]
    assert show(run)["release"] == {"number": 1, "current": True}
    with server.db.write() as conn:
        conn.execute(update(groups).values(release_id=None))
    assert show(run)["release"] == {"number": 1, "current": False}


def test_progress_is_shown_while_the_operation_runs(
    work: Work, start: Start, show: Show, pod: Pods, client: TestClient
) -> None:
    run = start()
    work()
    one = pod(run)
    step = one.claim()

    def tell(**fields: Any) -> int:
        body = {"step_id": str(step.id), "claim_no": step.claim_no, **fields}
        path = f"/runs/{run['id']}/progress"
        return int(client.post(path, json=body, headers=one.headers).status_code)

    assert tell(done=2, total=8, note="of 8 files") == 204
    shown = show(run)["progress"]
    assert (shown["operation"], shown["fraction"], shown["note"]) == ("fetch", 0.25, "of 8 files")
    assert tell(done=3, claim_no=step.claim_no + 1) == 204
    assert show(run)["progress"]["done"] == 2, "what comes too late is dropped"
    one.settle(settlement(step, then="load"))
    assert show(run)["progress"] is None


def test_progress_goes_with_the_container_that_told_it(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods, client: TestClient
) -> None:
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    told = {"step_id": str(step.id), "claim_no": step.claim_no, "done": 7, "total": 8}
    path = f"/runs/{run['id']}/progress"
    assert client.post(path, json=told, headers=one.headers).status_code == 204
    launcher.end(f"{run['id']}-1", None, "It was killed.")
    work()
    assert show(run)["progress"] is None


@on_both
def test_what_changed_since_the_last_success_is_told(
    work: Work,
    launcher: PlayedLauncher,
    client: TestClient,
    show: Show,
    pod: Pods,
    server: Server,
) -> None:
    first = begin(client)
    assert client.get(f"/runs/{first['id']}/changes").json()["comparison"] is None
    work()
    one = pod(first)
    for following in ("load", "report", None):
        one.work(then=following)
    launcher.end(f"{first['id']}-1")
    work(lambda: show(first)["state"] == "succeeded")
    second = begin(client, parameters={**GIVEN, "limit": 5})
    work(lambda: f"{second['id']}-1" in launcher.specs)
    other = pod(second)
    step = other.claim()
    other.stage(step, "state", {"scope": "group", "key": "seen", "value": 1})
    other.settle(settlement(step, then="load", duration=9.0))
    other.work(EndedAs.FAILED, description="No disk")
    launcher.end(f"{second['id']}-1")
    work(lambda: show(second)["state"] == "failed")
    found = client.get(f"/runs/{second['id']}/changes").json()
    assert found["last_success"] == first["id"]
    told = found["comparison"]
    assert told["digest"] is None
    assert told["parameters"] == [{"name": "limit", "before": None, "after": 5}]
    fetch, load, report = told["operations"]
    assert fetch["slower_by"] == 8.0
    assert (load["before"]["outcome"], load["after"]["outcome"]) == ("done", "failed")
    assert report["after"] is None
    assert [(one["scope"], one["key"]) for one in told["state"]] == [("group", "seen")]
    assert told["sentences"] == [
        "limit was not given, and is 5.",
        "fetch took 9.0 s, and 1.0 s before.",
        "load was done, and is failed.",
        "report was done, and is not there.",
        "1 key of the state was written since: group/seen.",
    ]
    turned = client.get(f"/runs/{first['id']}/compare/{second['id']}").json()
    assert turned["before"]["id"] == first["id"]
    assert turned["operations"] == told["operations"]


@on_both
def test_another_release_is_told_by_its_number_and_the_beginning_of_its_digest(
    work: Work, launcher: PlayedLauncher, client: TestClient, show: Show, pod: Pods, server: Server
) -> None:
    first = begin(client)
    work()
    one = pod(first)
    for following in ("load", "report", None):
        one.work(then=following)
    launcher.end(f"{first['id']}-1")
    work(lambda: show(first)["state"] == "succeeded")
    release_again(server, workflow())
    second = begin(client)
    found = client.get(f"/runs/{second['id']}/changes").json()["comparison"]
    assert found["release"] == {"name": "release", "before": 1, "after": 2}
    assert found["sentences"][0] == "The image is another: release 1 (0) became release 2 (new)."
