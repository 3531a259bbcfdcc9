"""What an operation writes commits with its settlement, or not at all (R38)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import GROUP, Pod, settlement
from tests.server.support import on_both

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.reports import service as reports
from stepwell.step import EndedAs, Step

Pods = Callable[..., Pod]
Work = Callable[..., None]
SCOPE = "workflow:nightly"


def content(data: bytes = b"hello") -> str:
    return base64.b64encode(data).decode()


def state(key: str = "mark", value: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"scope": SCOPE, "key": key, "value": value, **fields}


REPORT = {"name": "rows", "kind": "text", "media_type": "text/plain"}


@pytest.fixture
def one(start: Start, work: Work, pod: Pods) -> Pod:
    """A container that has joined."""
    run = start()
    work()
    return pod(run)


@pytest.fixture
def step(one: Pod) -> Step:
    """Its first operation, claimed."""
    return one.claim()


def read(pod: Pod, key: str = "mark", scope: str = SCOPE) -> dict[str, Any]:
    answer = pod.client.get(
        f"/runs/{pod.run_id}/state", params={"scope": scope, "key": key}, headers=pod.headers
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def shown(pod: Pod) -> list[str]:
    answer = pod.client.get("/reports", params={"run_id": pod.run_id})
    return [item["name"] for item in answer.json()["items"]]


def left(server: Server) -> int:
    with server.db.read() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM staged").scalar_one())


@on_both
def test_what_is_staged_is_seen_when_the_operation_is_done(
    one: Pod, step: Step, server: Server
) -> None:
    assert one.stage(step, "state", state()).status_code == 201
    assert one.stage(step, "report", REPORT, content()).status_code == 201
    assert (read(one)["exists"], shown(one)) == (False, [])
    one.settle(settlement(step))
    assert read(one) == {"value": 1, "version": 1, "exists": True}
    assert shown(one) == ["rows"]
    assert left(server) == 0


def test_a_write_that_is_sent_again_is_kept_once(one: Pod, step: Step, server: Server) -> None:
    """Its answer was lost; a swap that is kept twice would fail against itself."""
    body = {
        "id": str(new_id()),
        "step_id": str(step.id),
        "claim_no": step.claim_no,
        "kind": "state",
        "payload": state(expect_version=0),
    }
    for _ in range(2):
        answer = one.client.post(f"/runs/{one.run_id}/staged", json=body, headers=one.headers)
        assert (answer.status_code, answer.json()["id"]) == (201, body["id"])
    assert left(server) == 1
    one.settle(settlement(step))
    assert read(one) == {"value": 1, "version": 1, "exists": True}


@pytest.mark.parametrize(
    "end",
    [
        {"ended_as": EndedAs.FAILED, "failure_count": 1},
        {"ended_as": None, "failure_count": 1},
    ],
)
def test_what_a_failed_attempt_has_staged_is_dropped(
    one: Pod, step: Step, server: Server, end: dict[str, Any]
) -> None:
    one.stage(step, "state", state())
    one.stage(step, "report", REPORT, content())
    one.settle(settlement(step, **end))
    assert (read(one)["exists"], shown(one), left(server)) == (False, [], 0)


ON_FAILURE = {**REPORT, "every": 0, "on_failure": True}


def kept_reports(pod: Pod) -> list[tuple[str, bool]]:
    answer = pod.client.get("/reports", params={"run_id": pod.run_id})
    return sorted((item["name"], item["of_failure"]) for item in answer.json()["items"])


@on_both
def test_a_container_that_is_lost_leaves_the_reports_that_tell_why_and_no_state(
    one: Pod, step: Step, server: Server, work: Work, launcher: PlayedLauncher
) -> None:
    """As if its operation had failed under that claim; the next attempt adds its own."""
    one.stage(step, "state", state())
    one.stage(step, "report", REPORT, content())
    one.stage(step, "report", {**ON_FAILURE, "name": "why"}, content(b"step 1"))
    one.stage(step, "report", {**ON_FAILURE, "name": "why"}, content(b"step 2"))
    launcher.end(f"{one.run_id}-1", None, "It was killed.")
    work(lambda: f"{one.run_id}-2" in launcher.specs)
    assert (kept_reports(one), read_by_people(one), left(server)) == ([("why", True)], b"step 2", 0)
    second = Pod(one.client, server, one.run_id, 2).join()
    again = second.claim()
    assert read(second)["exists"] is False
    second.stage(again, "report", REPORT, content())
    second.settle(settlement(again))
    assert kept_reports(one) == [("rows", False), ("why", True)]


@on_both
def test_a_claim_that_was_taken_back_before_its_container_was_seen_to_end_counts_as_lost_too(
    one: Pod, step: Step, server: Server, work: Work, launcher: PlayedLauncher
) -> None:
    """A machine that has gone is silent long before anyone can say that its container ended."""
    one.stage(step, "state", state())
    one.stage(step, "report", {**ON_FAILURE, "name": "why"}, content())
    with server.db.write() as conn:
        tx = server.db.steps(conn)
        assert step.claimed_by is not None
        tx.leave(step.claimed_by)
    launcher.end(f"{one.run_id}-1", None, "Its machine has gone.")
    work(lambda: f"{one.run_id}-2" in launcher.specs)
    assert (kept_reports(one), left(server)) == ([("why", True)], 0)


def test_a_failure_is_told_though_the_run_keeps_no_more_reports(
    one: Pod, step: Step, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that was refused would have its failure refused as well, for ever."""
    monkeypatch.setattr(reports, "MOST", 0)
    one.stage(step, "report", {**ON_FAILURE, "name": "why"}, content())
    one.settle(settlement(step, ended_as=EndedAs.FAILED, failure_count=1))
    assert (kept_reports(one), left(server)) == ([], 0)


def read_by_people(pod: Pod) -> bytes:
    """The content of the newest report."""
    newest = pod.client.get("/reports", params={"run_id": pod.run_id}).json()["items"][0]
    return bytes(pod.client.get(f"/reports/{newest['id']}/content").content)


def test_what_is_handed_over_for_a_failure_is_gone_when_all_goes_well(
    one: Pod, step: Step, server: Server
) -> None:
    one.stage(step, "report", {**ON_FAILURE, "name": "why"}, content())
    one.stage(step, "report", REPORT, content())
    one.settle(settlement(step))
    assert (kept_reports(one), left(server)) == ([("rows", False)], 0)


def test_what_a_rerun_has_staged_is_kept(one: Pod, step: Step) -> None:
    """Its handler has returned, so it stands for what it wrote."""
    one.stage(step, "state", state())
    one.settle(settlement(step, None))
    assert read(one)["version"] == 1


@on_both
def test_a_swap_that_does_not_hold_applies_nothing_and_counts_as_a_failed_attempt(
    one: Pod, step: Step, client: TestClient
) -> None:
    """Neither state nor step nor successor; the engine then settles a retry instead."""
    one.stage(step, "state", state("first"))
    one.stage(step, "state", state("mark", 2, expect_version=0))
    edit = {"value": 9, "expect_version": 0, "reason": "meanwhile"}
    client.post(f"/state/{GROUP}/edits", params={"scope": SCOPE, "key": "mark"}, json=edit)
    good = settlement(step, then="load")
    answer = one.ask("settle", engine_id=one.engine_id, settlements=[good])
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")
    assert (read(one, "first")["exists"], read(one)["value"]) == (False, 9)
    assert len(client.get(f"/runs/{one.run_id}/steps").json()["items"]) == 1
    retry = settlement(step, None, failure_count=1, description="conflict")
    assert one.settle(retry) == ["applied"]
    assert (read(one, "first")["exists"], read(one)["value"]) == (False, 9)


def test_a_settlement_that_is_told_twice_commits_its_writes_once(one: Pod, step: Step) -> None:
    """Its first answer was lost (R13)."""
    one.stage(step, "state", state())
    told = settlement(step)
    assert one.settle(told) == ["applied"]
    assert one.settle(told) == ["applied"]
    assert read(one)["version"] == 1


def test_writing_now_is_seen_at_once_and_stays_when_the_operation_fails(
    one: Pod, step: Step
) -> None:
    answer = one.stage(step, "state", state(now=True))
    assert answer.json()["version"] == 1
    assert read(one)["value"] == 1
    conflict = one.stage(step, "state", state(now=True, expect_version=7))
    assert (conflict.status_code, conflict.json()["code"]) == (409, "state-conflict")
    one.settle(settlement(step, EndedAs.FAILED, failure_count=1))
    assert read(one)["value"] == 1


def test_only_a_claimed_step_of_the_run_can_write(one: Pod, step: Step) -> None:
    """A stale claim number writes nothing, and neither does an ended step."""
    stale = one.client.post(
        f"/runs/{one.run_id}/staged",
        json={
            "step_id": str(step.id),
            "claim_no": step.claim_no - 1,
            "kind": "state",
            "payload": state(),
        },
        headers=one.headers,
    )
    assert (stale.status_code, stale.json()["code"]) == (409, "claim-lost")
    one.settle(settlement(step, then="load"))
    assert one.stage(step, "state", state()).json()["code"] == "claim-lost"


@pytest.mark.parametrize(
    ("kind", "payload", "data"),
    [
        ("state", {"scope": "other:x", "key": "a"}, None),
        ("state", {"scope": SCOPE, "key": ""}, None),
        ("state", {"scope": SCOPE, "key": "a", "ttl": -1}, None),
        ("state", {"scope": SCOPE, "key": "a", "value": "x" * 300_000}, None),
        ("report", REPORT, None),
        ("report", REPORT, "not base64!"),
        ("report", {**REPORT, "kind": "virus"}, content()),
        ("report", {**REPORT, "media_type": "text/html\r\nX: y"}, content()),
        ("report", {**REPORT, "name": "a\nb"}, content()),
    ],
)
def test_what_could_not_be_committed_is_refused_when_it_is_staged(
    one: Pod, step: Step, server: Server, kind: str, payload: dict[str, Any], data: str | None
) -> None:
    answer = one.stage(step, kind, payload, data)
    assert answer.status_code == 422, answer.text
    assert left(server) == 0


def test_a_report_that_is_too_large_is_refused(
    one: Pod, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "LARGEST", 10)
    answer = one.stage(step, "report", REPORT, content(b"x" * 11))
    assert (answer.status_code, answer.json()["code"]) == (422, "report-refused")


@on_both
def test_one_key_has_a_value_in_each_scope_and_each_says_which_operation_wrote_it(
    one: Pod, step: Step
) -> None:
    scopes = ("group", SCOPE, "operation:nightly/fetch", "operation:nightly/load")
    for place, scope in enumerate(scopes[:3]):
        assert one.stage(step, "state", state("k", place, scope=scope)).status_code == 201
    one.settle(settlement(step))
    found = [read(one, "k", scope) for scope in scopes]
    assert [each["exists"] for each in found] == [True, True, True, False]
    assert [each["value"] for each in found[:3]] == [0, 1, 2]
    for scope in scopes[:3]:
        params = {"scope": scope, "key": "k"}
        entry = one.client.get(f"/state/{GROUP}/entry", params=params).json()
        assert (entry["run_id"], entry["step_id"]) == (str(one.run_id), str(step.id))
        assert entry["written_by"] == "nightly/fetch"


def test_state_is_read_by_every_workflow_of_the_group(
    one: Pod, step: Step, start: Start, work: Work, pod: Pods
) -> None:
    """And by another run; the scope `group` is for that, but none is secret inside a group."""
    one.stage(step, "state", {"scope": "group", "key": "k", "value": [1]})
    one.settle(settlement(step))
    run = start()
    work()
    assert read(pod(run), "k", "group")["value"] == [1]
