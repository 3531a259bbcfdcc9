"""Targets have a budget; a miss is told once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from tests.server.metrics.conftest import Measure, Release
from tests.server.support import Api, on_both, problem

from stepwell.server.app import Server
from stepwell.server.database.tables import occasions
from stepwell.server.metrics import objectives

SOURCE = {"nightly": {"targets": {"success": 0.9, "p95": 20.0, "window": 7}}}


def listed(api: Api) -> list[dict[str, Any]]:
    answer = api("viewer").get("/targets")
    assert answer.status_code == 200, answer.text
    return list(answer.json())


@on_both
def test_a_target_of_the_source_says_how_much_of_its_budget_is_left(
    api: Api, measure: Measure, release: Release
) -> None:
    release(entries=SOURCE)
    measure(38, 2, duration=10.0)
    (found,) = listed(api)
    assert found["origin"] == "source"
    success, p95 = found["objectives"]
    assert (success["judged"], success["used"], success["allowed"]) == (40, 2, pytest.approx(4.0))
    assert success["budget_left"] == pytest.approx(0.5)
    assert (success["met"], success["actual"]) == (True, 0.95)
    assert (p95["used"], p95["met"], p95["budget_left"]) == (0, True, 1.0)


@on_both
def test_an_operator_may_set_targets_in_place_of_the_source(
    api: Api, measure: Measure, release: Release
) -> None:
    release(entries=SOURCE)
    measure(38, 2, duration=10.0)
    body = {"success": 0.99, "reason": "the contract says so"}
    answer = api("operator").put("/targets/weather/nightly", json=body)
    assert answer.status_code == 200, answer.text
    (found,) = listed(api)
    assert (found["origin"], found["reason"]) == ("operator", "the contract says so")
    (one,) = found["objectives"]
    assert (one["met"], one["budget_left"]) == (False, pytest.approx(1 - 2 / 0.4))
    assert api("operator").delete("/targets/weather/nightly").status_code == 204
    assert listed(api)[0]["origin"] == "source"
    problem(api("operator").delete("/targets/weather/nightly"), 404, "targets-not-found")


def test_few_runs_judge_nothing(api: Api, measure: Measure, release: Release) -> None:
    release(entries=SOURCE)
    measure(0, objectives.LEAST - 1)
    success, _ = listed(api)[0]["objectives"]
    assert (success["met"], success["budget_left"]) == (None, None)
    measure(0, 1)
    assert listed(api)[0]["objectives"][0]["met"] is False


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("weather/nobody", {"success": 0.9}, 404, "targets-not-found"),
        ("weather/nightly", {"window": 7}, 422, "invalid-input"),
        ("weather/nightly", {"success": 1.5}, 422, "invalid-input"),
    ],
)
def test_targets_that_cannot_be_are_refused(
    api: Api, release: Release, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    release()
    problem(api("operator").put(f"/targets/{path}", json=body), status, code)


def test_viewers_set_no_targets(api: Api, release: Release) -> None:
    release()
    answer = api("viewer").put("/targets/weather/nightly", json={"success": 0.9})
    problem(answer, 403, "role-missing")


@on_both
def test_a_missed_target_is_told_once_until_it_is_met_again(
    server: Server, measure: Measure, release: Release, api: Api
) -> None:
    def told() -> list[str]:
        objectives.look(server.services)
        with server.db.read() as conn:
            return list(conn.execute(select(occasions.c.sentence)).scalars())

    release(entries=SOURCE)
    measure(90, 20)
    assert told() == told()
    (sentence,) = told()
    assert sentence == (
        "weather/nightly misses its target: success 81.82%, wanted 90.00%; "
        "20 of 110 runs failed, 11.0 may."
    )
    assert listed(api)[0]["objectives"][0]["missed_since"] is not None
    measure(200)
    assert told() == [sentence]
    measure(0, 100)
    assert len(told()) == 2
