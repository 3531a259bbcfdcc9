"""Re-execution: what failed is done again, what was done is taken over (decision 48)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import (
    GIVEN,
    Pods,
    Work,
    operation,
    release_again,
    rows,
    settlement,
    workflow,
)
from tests.server.support import Api, on_both, problem

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.runs import queries
from stepwell.step import EndedAs

Show = Callable[[dict[str, Any]], dict[str, Any]]


def takes(source: str, **schema: Any) -> dict[str, Any]:
    """An input from an earlier operation."""
    return {source: {"from": source, "schema": schema, "required": True}}


ENTRY = workflow(
    operation("fetch", inputs={}),
    operation("clean", inputs={}, halt_on_error=False),
    operation("load", inputs=takes("fetch", type="integer")),
    operation("report", inputs=takes("load")),
)


@pytest.fixture
def entry() -> dict[str, Any]:
    return ENTRY


@pytest.fixture
def failed(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods
) -> dict[str, Any]:
    """A run whose `clean` failed without halting, and whose `report` failed."""
    run = start()
    work()
    one = pod(run)
    one.work(then="clean", result="3")
    step = one.claim("v1/weather/nightly/clean")
    one.settle(settlement(step, EndedAs.FAILED, then="load", description="Boom"))
    one.work(then="report", result="6")
    one.work(EndedAs.FAILED, description="No disk")
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "failed")
    return run


def ask(client: TestClient, run: dict[str, Any], *, preview: bool = False, **body: Any) -> Any:
    return client.post(f"/runs/{run['id']}/reexecutions", json=body, params={"preview": preview})


def marks(plan: dict[str, Any]) -> dict[str, str]:
    return {one["operation"]: one["mark"] for one in plan["operations"]}


@on_both
def test_failed_operations_run_again_and_the_rest_is_taken_over(
    failed: dict[str, Any],
    client: TestClient,
    work: Work,
    launcher: PlayedLauncher,
    show: Show,
    pod: Pods,
    server: Server,
) -> None:
    plan = ask(client, failed, preview=True)
    assert plan.status_code == 200
    assert marks(plan.json()) == {
        "fetch": "reuse result",
        "clean": "run again",
        "load": "reuse result",
        "report": "run again",
    }
    made = ask(client, failed, reason="disk is back").json()
    assert (made["trigger"], made["reexecution_of"]) == ("reexecution", failed["id"])
    assert made["due_at"] == failed["due_at"]
    problem(ask(client, failed), 409, "reexecution-open")
    work()
    one = pod(made)
    step = one.claimed("v1/weather/nightly/clean")
    assert step is not None, "it begins at the first that is run again"
    one.settle(settlement(step, then="load"))
    last = one.claimed("v1/weather/nightly/report")
    assert last is not None, "what follows is the next that is run again, not `load`"
    one.settle(settlement(last))
    launcher.end(f"{made['id']}-1")
    work(lambda: show(made)["state"] == "succeeded")
    assert show(failed)["state"] == "superseded"
    assert show(failed)["superseded_by"] == made["id"]
    listed = client.get(f"/runs/{made['id']}/steps").json()["items"]
    reused = {one["operation"]: one["result"] for one in listed if one["reused"]}
    assert reused == {"fetch": 3, "load": 6}
    names = [step.name.rpartition("/")[2] for step in rows(server, made)]
    assert sorted(names) == ["clean", "fetch", "load", "report"]


def test_superseded_runs_are_not_failing_any_more(
    failed: dict[str, Any], client: TestClient, server: Server
) -> None:
    with server.db.write() as conn:
        queries.supersede(conn, UUID(failed["id"]), new_id())

    def listed(state: str) -> list[str]:
        found = client.get("/runs", params={"state": state}).json()["items"]
        return [one["id"] for one in found]

    assert (listed("failed"), listed("superseded")) == ([], [failed["id"]])
    assert listed("succeeded") == []


@on_both
def test_from_an_operation_on_what_lies_before_is_taken_over_or_left_out(
    failed: dict[str, Any], client: TestClient, work: Work, pod: Pods
) -> None:
    body: dict[str, Any] = {"mode": "from an operation", "operation": "load"}
    plan = ask(client, failed, preview=True, **body).json()
    assert list(marks(plan).values()) == ["reuse result", "skipped", "run again", "run again"]
    made = ask(client, failed, **body).json()
    work()
    step = pod(made).claim()
    assert step.name.endswith("/load")
    ended = client.get(f"/runs/{made['id']}/steps").json()["items"]
    assert {one["operation"]: one["ended_as"] for one in ended if one["ended_as"]} == {
        "fetch": "done",
        "clean": "skipped",
    }


def test_from_start_takes_nothing_over(
    failed: dict[str, Any], client: TestClient, server: Server
) -> None:
    plan = ask(client, failed, preview=True, mode="from start").json()
    assert set(marks(plan).values()) == {"run again"}
    assert "is done again" in plan["warnings"][-1]
    made = ask(client, failed, mode="from start").json()
    assert [step.name for step in rows(server, made)] == ["v1/weather/nightly/fetch"]


def test_what_takes_a_value_that_is_given_anew_runs_again_too(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods, client: TestClient
) -> None:
    run = start()
    work()
    pod(run).work(EndedAs.FAILED, description="No network")
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "failed")
    plan = ask(client, run, preview=True).json()
    assert set(marks(plan).values()) == {"run again"}
    assert plan["operations"][1]["why"] == "It never ran."


def test_a_result_that_does_not_fit_the_current_release_is_not_taken_over(
    failed: dict[str, Any], client: TestClient, server: Server
) -> None:
    load = operation("load", inputs=takes("fetch", type="string"))
    entry = {**ENTRY, "operations": [*ENTRY["operations"][:2], load, ENTRY["operations"][3]]}
    release_again(server, entry)
    plan = ask(client, failed, preview=True, release="current").json()
    assert not plan["same_release"]
    fetch = plan["operations"][0]
    assert (fetch["mark"], fetch["why"]) == (
        "run again",
        "Its result does not fit what load takes now.",
    )
    assert marks(ask(client, failed, preview=True).json())["fetch"] == "reuse result"
    made = ask(client, failed, release="current").json()
    assert made["digest"] == "sha256:new"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"mode": "from an operation"}, 422, "operation-unknown"),
        ({"mode": "from an operation", "operation": "nothing"}, 422, "operation-unknown"),
        ({"operation": "load"}, 422, "operation-unknown"),
        ({"mode": "sideways"}, 422, "invalid-input"),
    ],
)
def test_what_cannot_be_re_executed_is_refused(
    failed: dict[str, Any], client: TestClient, body: dict[str, Any], status: int, code: str
) -> None:
    problem(ask(client, failed, **body), status, code)


def test_a_run_that_goes_on_cannot_be_re_executed(
    start: Start, client: TestClient, api: Api
) -> None:
    run = start()
    problem(ask(client, run), 409, "run-not-ended")
    problem(ask(api("viewer"), run), 403, "role-missing")


def test_a_run_whose_operations_were_all_done_has_nothing_to_do_again(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods, client: TestClient
) -> None:
    run = start()
    work()
    one = pod(run)
    for name, following in (("fetch", "clean"), ("clean", "load"), ("load", "report")):
        step = one.claim(f"v1/weather/nightly/{name}")
        one.settle(settlement(step, then=following, result="1"))
    one.work(result="1")
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "succeeded")
    problem(ask(client, run), 409, "nothing-to-reexecute")
    assert ask(client, run, mode="from start").status_code == 201


def test_a_repeat_with_the_same_parameters_supersedes_and_one_with_others_does_not(
    failed: dict[str, Any],
    client: TestClient,
    work: Work,
    launcher: PlayedLauncher,
    show: Show,
    pod: Pods,
) -> None:
    def repeated(**body: Any) -> dict[str, Any]:
        made = client.post(f"/runs/{failed['id']}/repeats", json=body).json()
        work(lambda: f"{made['id']}-1" in launcher.specs)
        one = pod(made)
        for name, following in (("fetch", "clean"), ("clean", "load"), ("load", "report")):
            step = one.claim(f"v1/weather/nightly/{name}")
            one.settle(settlement(step, then=following))
        one.work()
        launcher.end(f"{made['id']}-1")
        work(lambda: show(made)["state"] == "succeeded")
        return dict(made)

    other = repeated(parameters={**GIVEN, "limit": 5})
    assert (show(failed)["state"], other["repeat_of"]) == ("failed", failed["id"])
    same = repeated()
    assert (show(failed)["state"], show(failed)["superseded_by"]) == ("superseded", same["id"])
