"""Re-execution of many runs: what failed in each, or everything."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pods, Work
from tests.server.support import on_both, problem

from stepwell.server.app import Server
from stepwell.server.bulk import service
from stepwell.step import EndedAs

QUERY = "state:failed trigger:request"


@pytest.fixture
def failed(work: Work, launcher: PlayedLauncher, start: Start, show: Start, pod: Pods) -> list[Any]:
    """Three runs whose `fetch` was done and whose `load` failed."""
    runs = [start() for _ in range(3)]
    work()
    for run in runs:
        one = pod(run)
        one.work(then="load", result="3")
        one.work(EndedAs.FAILED, description="No disk")
        launcher.end(f"{run['id']}-1")
    work(lambda: all(show(run)["state"] == "failed" for run in runs))
    return runs


def ask(client: TestClient, *, preview: bool = False, **more: Any) -> Any:
    body = {"action": "reexecute", "query": QUERY, "reason": "the disk is back", **more}
    return client.post("bulk", json=body, params={"preview": preview})


def done(client: TestClient, server: Server, bulk_id: str) -> dict[str, Any]:
    while service.go_on(server.services, UUID(bulk_id)):
        pass
    return dict(client.get(f"bulk/{bulk_id}").json())


def made(client: TestClient) -> list[dict[str, Any]]:
    answer = client.get("runs", params={"trigger": "reexecution"})
    return list(answer.json()["items"])


def operations(client: TestClient, run: dict[str, Any]) -> dict[str, bool]:
    """The operations that the run has rows of, and whether their results were taken over."""
    items = client.get(f"runs/{run['id']}/steps").json()["items"]
    return {one["operation"]: one["reused"] for one in items}


@on_both
def test_what_failed_in_each_of_many_runs_is_done_again(
    server: Server, client: TestClient, failed: list[Any]
) -> None:
    shown = ask(client, preview=True).json()
    assert (shown["total"], made(client)) == (3, [])
    command = f"stepwell bulk start reexecute '{QUERY}' --reason 'the disk is back'"
    assert shown["command"] == command
    after = done(client, server, ask(client, expected=3).json()["id"])
    assert (after["done"], after["failed"], after["state"]) == (3, 0, "finished")
    assert {one["reexecution_of"] for one in made(client)} == {run["id"] for run in failed}
    assert [operations(client, one) for one in made(client)] == [{"fetch": True, "load": False}] * 3


@on_both
def test_from_start_nothing_is_taken_over_in_any_of_them(
    server: Server, client: TestClient, failed: list[Any]
) -> None:
    given = {"mode": "from start", "release": "current"}
    shown = ask(client, preview=True, arguments=given).json()
    assert "--param 'mode=from start' --param release=current --reason" in shown["command"]
    done(client, server, ask(client, arguments=given).json()["id"])
    assert [operations(client, one) for one in made(client)] == [{"fetch": False}] * 3


@on_both
def test_a_run_that_is_being_re_executed_fails_alone(
    server: Server, client: TestClient, failed: list[Any]
) -> None:
    first = failed[0]["id"]
    assert client.post(f"runs/{first}/reexecutions", json={}).status_code == 201
    after = done(client, server, ask(client).json()["id"])
    assert (after["done"], after["failed"]) == (2, 1)
    (failure,) = after["failures"]
    assert (failure["run_id"], failure["code"]) == (first, "reexecution-open")


def test_it_keeps_to_its_rate_and_takes_no_other_modes(
    server: Server, client: TestClient, failed: list[Any]
) -> None:
    bulk_id = ask(client, rate=2).json()["id"]
    assert service.go_on(server.services, UUID(bulk_id)) is True
    assert len(made(client)) == 2
    problem(ask(client, arguments={"mode": "sideways"}), 422, "action-unknown")
