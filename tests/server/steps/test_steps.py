"""Steps are found, explained and operated over the API."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.engine import Engine, StepClient
from stepwell.outcome import FailStep, done
from stepwell.registry import Registry
from stepwell.server.app import Server
from stepwell.server.steps.api import Filters
from stepwell.step import StepQuery, new_step


@pytest.fixture
def steps(server: Server) -> StepClient:
    return StepClient(server.db.store)


def work(server: Server) -> None:
    """Run what is due in the queue `default`: `ok` succeeds with its arguments, `bad` fails."""
    registry = Registry()

    def ok(activation: Any) -> Any:
        return done({"args": activation})

    def bad() -> None:
        raise FailStep("the disk is full")

    registry.add(ok, "ok")
    registry.add(bad, "bad")
    Engine(server.db.store, registry).drain()


@on_both
def test_steps_of_all_tables_are_found_by_their_fields_in_pages(
    server: Server, api: Api, steps: StepClient
) -> None:
    flow = uuid4()
    steps.add_many(new_step("ok", n, flow_id=flow, search_key=f"order-{n}") for n in range(3))
    steps.add(new_step("bad", flow_id=flow))
    work(server)
    later = clock.now() + timedelta(hours=1)
    steps.add(new_step("ok", flow_id=flow, schedule_time=later))
    client = api("viewer")
    query = {"flow_id": str(flow)}
    exact: dict[str, Any] = {"more": [], "estimated": []}
    counts = {"ready": 1, "done": 3, "failed": 1} | exact
    assert client.get("steps/counts", params=query).json() == counts
    capped = client.get("steps/counts", params=query | {"at_most": 2}).json()
    assert capped == counts | {"done": 2, "more": ["done"]}
    seen, cursor = [], None
    while True:
        more = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = client.get("steps", params={**query, **more}).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)
    one = client.get("steps", params={**query, "search_key_prefix": "order-1"}).json()["items"]
    assert [step["search_key"] for step in one] == ["order-1"]


@on_both
def test_failures_are_listed_by_their_kind(server: Server, api: Api, steps: StepClient) -> None:
    flow = uuid4()
    ids = steps.add_many(new_step("bad", flow_id=flow) for _ in range(2))
    work(server)
    (group,) = api("viewer").get("steps/failures", params={"flow_id": str(flow)}).json()
    assert (group["name"], group["count"]) == ("bad", 2)
    assert group["step_id"] in map(str, ids)
    assert group["first_at"] <= group["last_at"]
    assert "the disk is full" in group["description"]


def test_a_step_shows_state_result_and_why_it_is_where_it_is(
    server: Server, api: Api, steps: StepClient
) -> None:
    step_id = steps.add(new_step("bad", {"order": 7}))
    client = api("viewer")
    due = client.get(f"steps/{step_id}").json()
    assert due["state"] == {"order": 7}
    assert "no engine" in due["explanation"]
    work(server)
    ended = client.get(f"steps/{step_id}").json()
    assert (ended["status"], ended["ended_as"]) == ("failed", "failed")
    assert "at attempt 1: the disk is full" in ended["explanation"]


@on_both
def test_activating_a_future_step_runs_it_now_with_its_arguments(
    server: Server, api: Api, steps: StepClient
) -> None:
    step_id = steps.add(new_step("ok", schedule_time=clock.now() + timedelta(days=1)))
    client = api("operator")
    body = {"args": {"approved": True}, "reason": "customer called"}
    answer = client.post(f"steps/{step_id}/activations", json=body)
    assert answer.status_code == 201
    work(server)
    assert client.get(f"steps/{step_id}").json()["result"] == {"args": {"approved": True}}
    entry = api("admin").get("audit?action=step.activate").json()["items"][0]
    assert (entry["target"], entry["reason"]) == (str(step_id), "customer called")


@pytest.mark.parametrize(
    ("ended_as", "status"), [("cancelled", "failed"), ("failed", "failed"), ("done", "done")]
)
def test_a_ready_step_is_ended_by_hand_with_a_reason(
    server: Server, api: Api, steps: StepClient, ended_as: str, status: str
) -> None:
    step_id = steps.add(new_step("ok"))
    body = {"ended_as": ended_as, "reason": "not needed"}
    found = api("operator").post(f"steps/{step_id}/endings", json=body).json()
    assert (found["status"], found["ended_as"]) == (status, ended_as)
    assert found["description"] == "not needed"
    answer = api("operator").post(f"steps/{step_id}/endings", json=body)
    problem(answer, 409, "step-ended")


def test_an_ending_without_a_reason_is_refused(api: Api, steps: StepClient) -> None:
    step_id = steps.add(new_step("ok"))
    told = problem(api("operator").post(f"steps/{step_id}/endings", json={}), 422, "invalid-input")
    assert "reason" in told["what"]


def test_an_ended_step_is_executed_again_as_a_copy(
    server: Server, api: Api, steps: StepClient
) -> None:
    step_id, client = steps.add(new_step("bad", {"order": 7})), api("operator")
    problem(client.post(f"steps/{step_id}/re-executions", json={}), 409, "step-not-ended")
    work(server)
    copy = client.post(f"steps/{step_id}/re-executions", json={"reason": "disk cleared"}).json()
    assert (copy["copy_of"], copy["status"], copy["state"]) == (str(step_id), "ready", {"order": 7})


def test_a_join_shows_whom_it_waits_for_and_its_members_are_found(
    api: Api, steps: StepClient
) -> None:
    client = api("viewer")
    member, join = steps.add_many([new_step("v1/part")], then=new_step("v1/whole"))
    shown = client.get(f"steps/{join}").json()["explanation"]
    assert shown == f"It waits for 1 of 1 step (R28): v1/part ({member}) has not ended yet."
    found = client.get("steps", params={"join_id": str(join)}).json()["items"]
    assert [one["id"] for one in found] == [str(member)]


@on_both
def test_a_step_is_moved_to_another_time(api: Api, steps: StepClient) -> None:
    step_id = steps.add(new_step("ok"))
    at = (clock.now() + timedelta(hours=3)).isoformat()
    found = api("operator").post(f"steps/{step_id}/reschedulings", json={"at": at}).json()
    assert "in 2 h 59 min" in found["explanation"]


def test_a_time_without_a_zone_is_refused(api: Api, steps: StepClient) -> None:
    step_id = steps.add(new_step("ok"))
    body = {"at": "2026-01-01T10:00:00"}
    answer = api("operator").post(f"steps/{step_id}/reschedulings", json=body)
    problem(answer, 422, "invalid-input")


@pytest.mark.parametrize("queue", ["server", "runs"])
def test_steps_that_work_for_the_server_or_a_run_are_not_ended_by_hand(
    api: Api, steps: StepClient, queue: str
) -> None:
    """R29: nobody can stop the tick by ending its step."""
    step_id = steps.add(new_step("tick", queue=queue, singleton=True))
    body = {"reason": "stop it"}
    answer = api("admin").post(f"steps/{step_id}/endings", json=body)
    problem(answer, 403, "step-protected")


@pytest.mark.parametrize("verb", ["activations", "endings", "re-executions"])
def test_a_viewer_operates_nothing(api: Api, steps: StepClient, verb: str) -> None:
    step_id = steps.add(new_step("ok"))
    answer = api("viewer").post(f"steps/{step_id}/{verb}", json={"reason": "x"})
    problem(answer, 403, "role-missing")


def test_an_unknown_step_is_told(api: Api) -> None:
    problem(api("viewer").get(f"steps/{uuid4()}"), 404, "step-not-found")


def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    problem(api("viewer").get("steps?cursor=WzFd"), 422, "cursor-invalid")


def test_the_api_asks_for_steps_by_all_that_a_query_has() -> None:
    """But for ids, of which one has a path of its own, and for paging."""
    has = {one.name for one in fields(StepQuery)}
    assert set(Filters.model_fields) == has - {"ids", "after", "limit"}
