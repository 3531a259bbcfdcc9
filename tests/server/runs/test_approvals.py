"""An operation waits for a reviewer, without a container; then it goes on, or fails (R8, R33)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pod, operation, rows, settlement, workflow
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.codec import JSON
from stepwell.server.app import Server
from stepwell.server.runs.supervision import Supervision
from stepwell.server.runs.waking import activate_supervisor
from stepwell.step import EndedAs

Pods = Callable[..., Pod]
Work = Callable[..., None]
Show = Callable[[dict[str, Any]], dict[str, Any]]

GATE = {"within": 3600.0, "message": "Load 3 rows?", "on_timeout": "fail"}


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    """`load` waits for approval; a test may give more of it."""
    gated = {"approval": GATE, **getattr(request, "param", {})}
    return workflow(operation("fetch"), operation("load", **gated), operation("report"))


@pytest.fixture
def waiting(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods
) -> dict[str, Any]:
    """A run that waits for the approval of `load`, its container gone."""
    run = start()
    work()
    one = pod(run)
    one.work(then="load")
    assert one.claimed() is None, "it is not due"
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "waiting")
    return run


def answer(client: TestClient, run: dict[str, Any], decision: str, **body: Any) -> Any:
    return client.post(f"/runs/{run['id']}/approvals", json={"decision": decision, **body})


@on_both
def test_an_operation_waits_without_a_container_until_a_reviewer_approves_it(
    waiting: dict[str, Any],
    api: Api,
    work: Work,
    launcher: PlayedLauncher,
    show: Show,
    pod: Pods,
) -> None:
    told = show(waiting)["waiting"]
    assert told["code"] == "approval"
    assert told["sentence"].startswith("load waits for approval (Load 3 rows?) until ")
    assert told["sentence"].endswith(", then fails.")
    assert list(launcher.specs) == [f"{waiting['id']}-1"]
    reviewer = api("reviewer")
    found = reviewer.get("/runs", params={"waiting": "approval"}).json()["items"]
    assert [one["id"] for one in found] == [waiting["id"]]
    assert answer(reviewer, waiting, "approve", reason="looks right").status_code == 202
    problem(answer(reviewer, waiting, "approve"), 409, "nothing-to-approve")
    work(lambda: f"{waiting['id']}-2" in launcher.specs)
    second = pod(waiting, attempt=2)
    step = second.claim()
    given = JSON.decode(step.activation_args or "")["approval"]
    assert (given["decision"], given["reason"]) == ("approved", "looks right")
    assert given["by"].startswith("reviewer")
    second.settle(settlement(step, then="report"))
    second.work()
    launcher.end(f"{waiting['id']}-2")
    work(lambda: show(waiting)["state"] == "succeeded")
    names = [one["name"] for one in show(waiting)["phases"]]
    assert "approval" in names
    (entry, *_) = api("admin").get("/audit", params={"action": "run.approve"}).json()["items"]
    assert (entry["target"], entry["reason"]) == (waiting["id"], "looks right")
    assert entry["details"]["operation"] == "load"


@on_both
def test_that_a_run_waits_is_told_once(
    waiting: dict[str, Any], api: Api, server: Server, work: Work
) -> None:
    with server.db.write() as conn:  # as the tick of a supervisor's own clock, or another server
        activate_supervisor(server.db.steps(conn), UUID(waiting["id"]))
    work()
    about = {"kind": "approval-waiting", "group": waiting["group"]}
    (told,) = api("viewer").get("/notifications/occasions", params=about).json()["items"]
    assert told["run_id"] == waiting["id"]
    assert told["sentence"].startswith(
        f"{waiting['group']}/{waiting['workflow']}: load waits for approval (Load 3 rows?) until "
    )
    assert told["details"]["until"] == waiting_until(api, waiting)


def waiting_until(api: Api, run: dict[str, Any]) -> str:
    return str(api("viewer").get(f"/runs/{run['id']}").json()["waiting"]["until"])


@on_both
def test_a_rejection_fails_the_operation_and_with_it_the_run(
    waiting: dict[str, Any], api: Api, work: Work, launcher: PlayedLauncher, show: Show
) -> None:
    reviewer = api("reviewer")
    assert answer(reviewer, waiting, "reject", reason="too many rows").status_code == 202
    work(lambda: show(waiting)["state"] == "failed")
    assert "The operation load failed: Rejected by reviewer" in show(waiting)["reason"]
    assert "too many rows" in show(waiting)["reason"]
    assert list(launcher.specs) == [f"{waiting['id']}-1"]
    problem(answer(reviewer, waiting, "approve"), 409, "nothing-to-approve")


@pytest.mark.parametrize("entry", [{"halt_on_error": False}], indirect=True)
def test_a_rejected_operation_that_does_not_halt_lets_the_next_one_run(
    waiting: dict[str, Any], api: Api, work: Work, launcher: PlayedLauncher, pod: Pods
) -> None:
    answer(api("reviewer"), waiting, "reject", reason="not today")
    work(lambda: f"{waiting['id']}-2" in launcher.specs)
    step = pod(waiting, attempt=2).claim()
    assert step.name.endswith("/report")
    assert "approval" not in JSON.decode(step.state or "")


def test_only_reviewers_answer_and_nobody_wakes_the_step_by_hand(
    waiting: dict[str, Any], api: Api, server: Server
) -> None:
    operator = api("operator")
    problem(answer(operator, waiting, "approve"), 403, "role-missing")
    (step,) = [one for one in rows(server, waiting) if one.ended_as is None]
    for path, body in (
        ("activations", {"args": {"approval": {"decision": "approved"}}}),
        ("reschedulings", {"at": clock.now().isoformat(), "reason": "hurry"}),
    ):
        found = operator.post(f"/steps/{step.id}/{path}", json=body)
        problem(found, 403, "step-protected")
    problem(
        answer(api("reviewer"), waiting, "approve", operation="fetch"), 409, "nothing-to-approve"
    )


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        ({"approval": {**GATE, "within": 1.0}}, "failed"),
        ({"approval": {**GATE, "within": 1.0, "on_timeout": "go on"}}, "starting"),
    ],
    indirect=["entry"],
)
def test_patience_ends_as_was_chosen(
    state: str,
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Show,
    pod: Pods,
) -> None:
    run = start()
    work()
    pod(run).work(then="load")
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == state)
    if state == "failed":
        assert "Nobody approved it until" in show(run)["reason"]
        assert list(launcher.specs) == [f"{run['id']}-1"]


@on_both
@pytest.mark.parametrize("entry", [{"approval": {**GATE, "within": 60.0}}], indirect=True)
def test_no_container_stays_for_an_answer_however_short_the_patience_so_that_people_are_told(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods, api: Api
) -> None:
    """A runner stays for what is due within five minutes: that would be the whole of it."""
    run = start()
    work()
    one = pod(run)
    one.work(then="load")
    assert one.next_due() is None, "there is nothing to stay for"
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "waiting")
    about = {"kind": "approval-waiting", "group": run["group"]}
    found = api("viewer").get("/notifications/occasions", params=about).json()["items"]
    assert [told["run_id"] for told in found] == [run["id"]]


def test_a_container_stays_for_what_is_due_soon_beside_what_waits_for_an_answer(
    work: Work, start: Start, pod: Pods
) -> None:
    run, soon = start(), clock.now() + timedelta(minutes=1)
    work()
    one = pod(run)
    one.settle(settlement(one.claim(), None, schedule_time=soon))
    assert one.next_due() == soon


def test_a_cancelled_run_waits_for_nobody(
    waiting: dict[str, Any], client: TestClient, work: Work, show: Show, api: Api
) -> None:
    client.post(f"/runs/{waiting['id']}/cancellations", json={"reason": "not needed"})
    work(lambda: show(waiting)["state"] == "cancelled")
    assert show(waiting)["waiting"] is None
    problem(answer(api("reviewer"), waiting, "approve"), 409, "nothing-to-approve")


def test_a_first_operation_may_wait_before_anything_is_launched(
    server: Server, start: Start, show: Show, work: Work, launcher: PlayedLauncher, api: Api
) -> None:
    from sqlalchemy import update

    from stepwell.server.database.tables import release_workflows

    gated = workflow(operation("fetch", approval=GATE))
    with server.db.write() as conn:
        conn.execute(update(release_workflows).values(entry=gated))
    run = start()
    work()
    assert (show(run)["state"], show(run)["attempts"]) == ("waiting", [])
    assert show(run)["waiting"]["code"] == "approval"
    assert launcher.specs == {}
    answer(api("reviewer"), run, "approve")
    work(lambda: f"{run['id']}-1" in launcher.specs)


def test_an_operation_that_asks_by_itself_is_answered_in_the_same_way(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods, api: Api
) -> None:
    """What the runner makes of `wait_for_approval`: a rerun whose state says what it asks."""
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    until = clock.now() + timedelta(hours=2)
    asked = {**GATE, "asked_at": clock.now().isoformat(), "until": until.isoformat()}
    state = JSON.encode({"parameters": {}, "approval": asked})
    one.settle(settlement(step, None, schedule_time=until, keep_state=False, state=state))
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "waiting")
    assert show(run)["waiting"]["sentence"].startswith("fetch waits for approval")
    answer(api("reviewer"), run, "approve", operation="fetch")
    work(lambda: f"{run['id']}-2" in launcher.specs)
    again = pod(run, attempt=2).claim()
    assert again.id == step.id


def test_a_server_killed_at_the_end_of_patience_fails_the_operation_once(
    waiting: dict[str, Any], server: Server, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two supervisors one after the other, as after a kill: the second finds it done."""
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=2))
    for _ in range(3):
        Supervision(server.services, UUID(waiting["id"])).move()
    assert show(waiting)["state"] == "failed"
    ended = [step.ended_as for step in rows(server, waiting)]
    assert sorted(ended, key=str) == [EndedAs.DONE, EndedAs.FAILED]
