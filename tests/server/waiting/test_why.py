"""Every reason that exists here, made to happen, and read as the sentence that it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import (
    Pods,
    Work,
    operation,
    pass_time,
    rows,
    settlement,
    stop_clock,
    workflow,
)
from tests.server.support import Api, on_both, problem
from tests.server.waiting.support import Why

from stepwell import clock
from stepwell.errors import StepwellError
from stepwell.ids import new_id
from stepwell.launchers.protocol import Condition, LaunchFailed, LaunchStatus
from stepwell.outcome import rerun
from stepwell.server.app import Server
from stepwell.server.runs.supervision import Supervision
from stepwell.server.waiting import conditions
from stepwell.stores.controls import Control, ControlKind


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A test may give more of the workflow, or of `load`."""
    more = dict(getattr(request, "param", {}))
    load = operation("load", **more.pop("load", {}))
    return workflow(operation("fetch", retries=4), load, operation("report"), **more)


@on_both
def test_a_paused_system_says_who_paused_it_and_why(
    server: Server, start: Start, why: Why, engine: None
) -> None:
    run = start()
    pause = Control(kind=ControlKind.PAUSE, key="server", reason="db upgrade", changed_by="anna")
    with server.db.store.transaction() as tx:
        tx.set_control(pause)
    found = why(run)
    assert found["reason"]["code"] == "PAUSED_SYSTEM"
    assert found["sentence"].startswith("Paused by anna on ")
    assert found["sentence"].endswith("'db upgrade'.")
    assert found["reason"]["actions"][0]["command"] == "stepwell queues resume server"


@on_both
def test_what_is_not_due_says_when_it_is(
    server: Server, start: Start, why: Why, engine: None
) -> None:
    run = start()
    at = clock.now() + timedelta(hours=3, minutes=10)
    with server.db.write() as conn:
        server.db.steps(conn).reschedule(rows(server, run)[-1].id, at)
    found = why(run)
    assert found["reason"]["code"] == "NOT_DUE"
    assert found["sentence"].endswith("in 3 h 10 m.") or found["sentence"].endswith("in 3 h 9 m.")
    assert found["reason"]["changes_at"].startswith(f"{at:%Y-%m-%dT%H:%M}")
    assert found["reason"]["blocking"]["kind"] == "step"


@on_both
def test_an_operation_waits_for_those_before_it(
    start: Start, why: Why, pod: Pods, work: Work
) -> None:
    run = start()
    work()
    pod(run).claim()
    found = why(run, "report")
    assert found["subject"] == {
        "kind": "step",
        "id": run["id"],
        "name": "report",
        "state": "not begun",
    }
    assert found["reason"]["code"] == "DEPENDS_ON"
    assert found["sentence"] == "Waits for *fetch* (running) and *load* (not begun)."
    assert found["reason"]["blocking"]["name"] == "fetch"
    assert not why(run)["waiting"]
    assert why(run)["sentence"].startswith("*fetch* is running")


@on_both
def test_a_failed_attempt_says_when_the_next_one_is(
    start: Start, why: Why, pod: Pods, work: Work
) -> None:
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    at = clock.now() + timedelta(seconds=300)
    said: dict[str, Any] = {"description": "TimeoutError: after 30 s\n  x", "failure_count": 2}
    one.settle(settlement(step, None, schedule_time=at, **said))
    found = why(run)
    assert found["reason"]["code"] == "RETRY_AT"
    assert found["sentence"].startswith("Attempt 3 of 5 in ")
    assert found["sentence"].endswith("last error: TimeoutError: after 30 s.")
    assert found["reason"]["actions"][0]["command"] == f"stepwell steps activate {step.id}"


@on_both
def test_an_operation_that_sleeps_says_until_when(
    start: Start, why: Why, pod: Pods, work: Work
) -> None:
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    one.settle(settlement(step, None, schedule_time=clock.now() + timedelta(hours=5)))
    found = why(run)
    assert found["reason"]["code"] == "SLEEPING"
    assert found["sentence"].startswith("Sleeps until ")


@on_both
@pytest.mark.parametrize(
    "entry", [{"load": {"approval": {"within": 3600.0, "on_timeout": "fail"}}}], indirect=True
)
def test_an_operation_that_waits_for_a_reviewer_says_until_when(
    start: Start, why: Why, pod: Pods, work: Work, launcher: PlayedLauncher, show: Start
) -> None:
    run = start()
    work()
    pod(run).work(then="load")
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["waiting"])
    found = why(run)
    assert found["reason"]["code"] == "APPROVAL"
    assert found["sentence"].startswith("Load waits for approval until ")
    assert found["sentence"].endswith("then fails.")
    assert found["reason"]["actions"][0]["command"] == f"stepwell runs approve {run['id']}"


@on_both
def test_a_run_over_a_limit_names_who_has_the_slots(
    start: Start, why: Why, work: Work, client: TestClient, show: Start
) -> None:
    body = {"kind": "workflow", "name": "weather/nightly", "slots": 1}
    assert client.post("run-limits", json=body).status_code == 200
    first, second = start(), start()
    work(lambda: show(second)["waiting"])
    found = why(second)
    assert found["reason"]["code"] == "CONCURRENCY"
    assert first["id"] in found["sentence"]
    assert found["sentence"].endswith("0 ahead in line.")
    assert found["reason"]["blocking"]["name"] == "weather/nightly"


@on_both
def test_without_an_engine_nobody_takes_it(start: Start, why: Why) -> None:
    found = why(start())
    assert found["reason"]["code"] == "NO_RUNNER"
    assert found["sentence"].startswith("No engine of the server took work since ")
    assert found["reason"]["actions"][0]["command"] == "stepwell work"


@on_both
def test_a_container_that_cannot_be_started_says_what_the_launcher_says(
    start: Start, why: Why, work: Work, launcher: PlayedLauncher, engine: None
) -> None:
    launcher.fault = LaunchFailed("The node is full.")
    run = start()
    work()
    found = why(run)
    assert found["reason"]["code"] == "NO_RUNNER"
    assert found["sentence"] == "Its container cannot be started: The node is full."
    assert found["reason"]["blocking"]["link"] == "/groups/weather"


@on_both
def test_a_container_that_was_launched_is_starting(
    start: Start, why: Why, work: Work, engine: None
) -> None:
    run = start()
    work()
    found = why(run)
    assert found["reason"]["code"] == "STARTING"
    assert found["sentence"].startswith("Its container was started and has not begun, ")


@on_both
def test_a_container_that_ended_without_it_was_lost(
    start: Start,
    why: Why,
    work: Work,
    launcher: PlayedLauncher,
    pod: Pods,
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = start()
    work()
    pod(run).claim()
    launcher.end(f"{run['id']}-1", None, "It was killed.")
    monkeypatch.setattr(Supervision, "_proceed", lambda *_: rerun(after=30))
    work(lambda: why(run)["waiting"])
    found = why(run)
    assert found["reason"]["code"] == "LOST"
    assert "ago without it (It was killed); attempt 2 starts next." in found["sentence"]


@on_both
def test_a_container_that_does_not_come_for_what_is_due_is_lost(
    start: Start,
    why: Why,
    work: Work,
    pod: Pods,
    server: Server,
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = start()
    work()
    pod(run).work(then="load")
    stop_clock(monkeypatch, rows(server, run)[-1].schedule_time + timedelta(seconds=20))
    found = why(run)
    assert found["reason"]["code"] == "LOST"
    assert found["sentence"].startswith("Its container has not come for *load* for 20 s")


@on_both
def test_a_server_that_is_behind_says_by_how_much(
    start: Start, why: Why, engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()
    pass_time(monkeypatch, 12_000)
    found = why(run)
    assert found["reason"]["code"] == "ENGINE"
    assert found["sentence"].startswith("Scheduler behind by 3 h 2")


@on_both
def test_what_nobody_foresaw_comes_with_what_was_seen(
    start: Start, why: Why, engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()
    begun = datetime.fromisoformat(run["created_at"])
    stop_clock(monkeypatch, begun + timedelta(seconds=1))  # soon the server is behind
    found = why(run)
    assert found["reason"]["code"] == "UNKNOWN"
    assert set(found["diagnostics"]) == {"run", "attempt", "engines", "step", "supervisor"}


REPORTED: dict[str, tuple[dict[str, Any], str, str]] = {
    "K8S_QUOTA": (
        {"quota": "team", "resource": "cpu", "needs": "8", "used": "60", "hard": "64"},
        "",
        "The quota *team* of cpu is full: 60 of 64 are used; the container needs 8.",
    ),
    "K8S_UNSCHEDULABLE": (
        {"needs": "8 CPU", "largest_free": "3.5", "nodes": 12, "tainted": 2},
        "",
        "Needs 8 CPU; largest free on any node is 3.5 (12 nodes, 2 tainted).",
    ),
    "K8S_IMAGE": (
        {"image": "registry/x@sha256:0", "error": "401 unauthorized", "secret": "regcred"},
        "",
        "Cannot pull registry/x@sha256:0: 401 unauthorized (secret *regcred* expired?).",
    ),
    "K8S_CONFIG": (
        {"kind": "Secret", "name": "db-pass", "namespace": "jobs"},
        "",
        "Secret *db-pass* not found in namespace *jobs*.",
    ),
    "K8S_ADMISSION": (
        {"policy": "no-root"},
        "runs as root",
        "Policy *no-root* rejected the Job: runs as root.",
    ),
    "STARTING": (
        {"doing": "Pulling", "size": 1.2e9, "node": "node-7", "usual": 55},
        "",
        "Pulling 1.2 GB image on node-7, 40 s so far (usually 55 s).",
    ),
    "LOST": (
        {"node": "node-7"},
        "",
        (
            "Its node *node-7* is not heard of, and its container with it; the next attempt starts "
            "when the cluster has given it up."
        ),
    ),
}


@on_both
@pytest.mark.parametrize("code", REPORTED)
def test_what_the_cluster_reports_becomes_a_sentence(
    start: Start,
    why: Why,
    work: Work,
    launcher: PlayedLauncher,
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    details, message, sentence = REPORTED[code]
    run = start()
    work()
    now = clock.now()
    stop_clock(monkeypatch, now)
    since = now - timedelta(seconds=40)
    condition = Condition(code=code, details=details, message=message, since=since)
    launcher.ended[f"{run['id']}-1"] = LaunchStatus(state="running", condition=condition)
    found = why(run)
    assert found["reason"]["code"] == code
    assert found["sentence"] == sentence
    assert found["reason"]["since"] is not None
    assert found["reason"]["actions"][0]["command"]


@on_both
def test_a_server_without_the_launcher_shows_what_the_watch_has_kept(
    server: Server,
    start: Start,
    why: Why,
    work: Work,
    launcher: PlayedLauncher,
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = start()
    work()
    condition = Condition(code="K8S_CONFIG", details={"kind": "Secret", "name": "db-pass"})
    launcher.ended[f"{run['id']}-1"] = LaunchStatus(state="running", condition=condition)
    work()

    def gone(_: Any) -> LaunchStatus:
        raise StepwellError("It is not enabled here.")

    monkeypatch.setattr(launcher, "poll", gone)
    assert why(run)["sentence"] == "Secret *db-pass* not found in namespace *default*."


def test_a_pull_of_which_nothing_is_known_is_told_as_one() -> None:
    condition = Condition(code="STARTING", details={"doing": "Pulling", "node": "node-7"})
    made = conditions.reason(condition, "r", "weather", clock.now())
    assert made.sentence == "Pulling its image on node-7."


def test_a_report_with_no_details_is_told_in_the_launchers_own_words() -> None:
    for code in REPORTED:
        condition = Condition(code=code, message="something is amiss")
        made = conditions.reason(condition, "r", "weather", clock.now())
        assert made.code == code
        assert made.sentence.endswith(".")
    other = Condition(code="NEW", message="Something else.")
    assert conditions.reason(other, "r", "weather", clock.now()).sentence == (
        "The launcher says: Something else."
    )


@on_both
def test_what_does_not_wait_says_what_it_does(
    start: Start, why: Why, work: Work, launcher: PlayedLauncher, pod: Pods, client: TestClient
) -> None:
    run = start()
    work()
    one = pod(run)
    one.work(then="load")
    one.work(then="report")
    one.work()
    assert why(run)["sentence"] == "All operations have ended; the run is about to end."
    launcher.end(f"{run['id']}-1")
    work()
    found = why(run)
    assert (found["waiting"], found["reason"]) == (False, None)
    assert found["sentence"] == "The run has succeeded: all operations ended."
    assert why(run, "load")["sentence"] == "It ended as done: no description."


def test_what_is_not_there_is_refused(start: Start, api: Api) -> None:
    run, client = start(), api("viewer")
    found = problem(client.get(f"runs/{run['id']}/why?step=lod"), 404, "operation-not-found")
    assert "fetch, load, report" in found["why"]
    problem(client.get(f"runs/{new_id()}/why"), 404, "run-not-found")
    problem(client.get(f"schedules/{new_id()}/why"), 404, "schedule-not-found")
