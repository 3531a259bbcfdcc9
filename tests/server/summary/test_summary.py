"""The first page in one answer, and how the parts of the server are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import Start
from tests.server.search.support import made
from tests.server.support import Api, on_both

from stepwell import clock
from stepwell.server.app import Server

Work = Callable[..., None]


def summary(client: TestClient) -> dict[str, Any]:
    answer = client.get("summary")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@on_both
def test_all_is_well_in_one_line(client: TestClient) -> None:
    found = summary(client)
    assert found["sentence"] == "Nothing is failing. 1 group waits for review."
    assert (found["running"], found["waiting"]) == ([], [])


@on_both
def test_what_is_wrong_is_counted_and_linked(
    server: Server, client: TestClient, start: Start
) -> None:
    made(server, *({"state": "failed", "fingerprint": f"f{n % 2}"} for n in range(3)))
    made(server, {"state": "running", "finished_at": None})
    start()
    start()
    found = summary(client)
    assert found["sentence"] == "3 runs failing for 2 causes. 1 group waits for review."
    assert found["clauses"][0]["link"] == "/runs?q=state:failed"
    assert (found["counts"]["running"], found["counts"]["waiting"]) == (1, 2)
    assert [one["workflow"] for one in found["running"]] == ["nightly"]
    (reason,) = found["waiting"]
    assert (reason["code"], reason["count"]) == ("NO_RUNNER", 2)


@on_both
def test_health_says_more_to_those_who_are_known(api: Api) -> None:
    assert api(None).get("health").json()["parts"] is None
    wrong = {"Authorization": "Bearer sw_wrong"}
    assert api(None).get("health", headers=wrong).json()["parts"] is None
    found = api("viewer").get("health").json()
    assert found["status"] == "problem"
    parts = {one["name"]: one["state"] for one in found["parts"]}
    assert parts["engines"] == "problem"
    assert parts["database"] in ("ok", "warning")
    assert parts["launcher process"] == "ok"


def test_a_scheduler_that_is_behind_says_by_how_much(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, real = api("viewer"), clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=200))
    (part,) = [p for p in client.get("health").json()["parts"] if p["name"] == "scheduler"]
    assert part["state"] == "problem"
    assert part["sentence"].startswith("The scheduler is behind by 3 m")
