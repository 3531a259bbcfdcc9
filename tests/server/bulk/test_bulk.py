"""Actions on many runs: previewed, done at a bounded rate, followed, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import Start
from tests.server.search.support import made
from tests.server.support import Api, on_both, problem

from stepwell.server.app import Server
from stepwell.server.bulk import service, steps
from stepwell.server.search import service as search

Work = Callable[..., None]

GIVEN = {"parameters": {"day": "2026-01-31"}}


def failed(many: int) -> list[dict[str, Any]]:
    return [{"state": "failed", "fingerprint": "f1", **GIVEN} for _ in range(many)]


def ask(client: TestClient, query: str | None, action: str = "repeat", **more: Any) -> Any:
    body = {"action": action, "reason": "the database is back", **more}
    body |= {} if query is None else {"query": query}
    return client.post("bulk", json=body)


def done(client: TestClient, server: Server, bulk_id: str) -> dict[str, Any]:
    while service.go_on(server.services, UUID(bulk_id)):
        pass
    return dict(client.get(f"bulk/{bulk_id}").json())


@on_both
def test_all_runs_of_a_cause_are_run_again_and_followed(server: Server, client: TestClient) -> None:
    """37 failures of one cause start 37 runs."""
    made(server, *failed(37), {"state": "failed", "fingerprint": "f2"}, {"state": "succeeded"})
    answer = ask(client, "cause:f1 state:failed", expected=37)
    assert answer.status_code == 202, answer.text
    after = done(client, server, answer.json()["id"])
    assert (after["state"], after["total"]) == ("finished", 37)
    assert (after["done"], after["failed"]) == (37, 0)
    assert client.get("runs/counts", params={"q": "trigger:repeat"}).json()["count"] == 37
    assert done(client, server, answer.json()["id"])["done"] == 37


@on_both
def test_a_preview_counts_exactly_and_changes_nothing(server: Server, client: TestClient) -> None:
    made(server, *failed(7))
    body = {"action": "repeat", "query": "state:failed", "reason": "x y"}
    found = client.post("bulk?preview=true", json=body)
    assert found.status_code == 200
    assert (found.json()["total"], len(found.json()["sample"])) == (7, 5)
    assert found.json()["command"] == "stepwell bulk start repeat state:failed --reason 'x y'"
    again = [
        client.post("bulk?preview=true", json=body, headers={"Idempotency-Key": "k"}).json()
        for _ in range(2)
    ]
    assert again[0] == again[1]
    assert client.get("bulk").json()["items"] == []
    assert client.get("runs/counts").json()["count"] == 7


@on_both
def test_what_cannot_be_done_with_one_run_does_not_stop_the_others(
    server: Server, client: TestClient, start: Start
) -> None:
    open_run = start()
    ids = [*made(server, *failed(2)), open_run["id"]]
    answer = ask(client, None, "cancel", ids=ids)
    after = done(client, server, answer.json()["id"])
    assert (after["done"], after["failed"], after["state"]) == (1, 2, "finished")
    assert {one["code"] for one in after["failures"]} == {"run-ended"}
    assert client.get(f"runs/{open_run['id']}").json()["state"] == "cancelling"


@on_both
def test_no_more_a_second_than_its_rate_and_none_after_a_cancellation(
    server: Server, client: TestClient
) -> None:
    made(server, *failed(5))
    bulk_id = ask(client, "state:failed", rate=2).json()["id"]
    assert service.go_on(server.services, UUID(bulk_id)) is True
    assert client.get(f"bulk/{bulk_id}").json()["done"] == 2
    stopped = client.post(f"bulk/{bulk_id}/cancellations", json={"reason": "enough"})
    assert stopped.json()["state"] == "cancelled"
    assert done(client, server, bulk_id)["done"] == 2
    problem(client.post(f"bulk/{bulk_id}/cancellations", json={}), 409, "bulk-ended")


@on_both
def test_a_query_that_looks_into_rows_is_walked_to_its_end(
    server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(server, *failed(3), *({**GIVEN, "reason": "find me"} for _ in range(2)), *failed(3))
    monkeypatch.setattr(search, "WINDOW", 2)
    bulk_id = ask(client, '"find me"').json()["id"]
    assert done(client, server, bulk_id)["done"] == 2


@on_both
def test_labels_are_added_to_those_that_are_there(server: Server, client: TestClient) -> None:
    made(server, *failed(2))
    for labels in ({"team": "data"}, {"seen": "yes"}):
        bulk_id = ask(client, "state:failed", "label", arguments={"labels": labels}).json()["id"]
        assert done(client, server, bulk_id)["done"] == 2
    found = client.get("runs", params={"q": "label:team=data label:seen"}).json()["items"]
    assert [one["labels"] for one in found] == [{"team": "data", "seen": "yes"}] * 2


@on_both
def test_its_own_step_carries_it_on(
    server: Server, client: TestClient, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PAUSE", 0.01)
    made(server, *failed(5))
    bulk_id = ask(client, "state:failed", rate=2).json()["id"]
    work(lambda: client.get(f"bulk/{bulk_id}").json()["state"] == "finished")


@on_both
def test_what_cannot_be_begun_is_refused(
    server: Server, client: TestClient, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(server, *failed(2))
    problem(ask(client, "state:failed", expected=3), 409, "bulk-count-changed")
    problem(ask(client, "stat:failed"), 422, "query-invalid")
    problem(ask(client, "", "explode"), 422, "action-unknown")
    problem(ask(client, "", "cancel", arguments={"when": 1}), 422, "action-unknown")
    problem(ask(client, None), 422, "invalid-input")
    problem(ask(api("viewer"), ""), 403, "role-missing")
    monkeypatch.setattr(service, "MOST", 1)
    problem(ask(client, ""), 422, "bulk-too-large")
    assert client.get("bulk").json()["items"] == []


@on_both
def test_a_repeated_key_begins_it_once(server: Server, client: TestClient) -> None:
    made(server, *failed(1))
    body = {"action": "repeat", "query": "state:failed", "reason": "x"}
    key = {"Idempotency-Key": "k"}
    found = [client.post("bulk", json=body, headers=key).json()["id"] for _ in range(2)]
    assert found[0] == found[1]
    assert len(client.get("bulk").json()["items"]) == 1


@on_both
def test_failed_runs_are_re_executed_with_the_mode_that_is_asked_for(
    server: Server, client: TestClient
) -> None:
    made(server, *failed(2))
    arguments = {"mode": "from start"}
    body = {"action": "reexecute", "query": "state:failed", "arguments": arguments, "reason": "x"}
    shown = client.post("bulk?preview=true", json=body).json()["command"]
    assert "--param 'mode=from start'" in shown
    answer = ask(client, "state:failed", "reexecute", arguments=arguments)
    assert done(client, server, answer.json()["id"])["done"] == 2
    found = client.get("runs", params={"q": "state:waiting"}).json()["items"]
    assert [one["trigger"] for one in found] == ["reexecution"] * 2
