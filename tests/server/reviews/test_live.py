"""A review is joined to what lives: steps, waiting states, runs and schedules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from tests.server.reviews.conftest import Discover
from tests.server.reviews.support import (
    ALL,
    DAILY,
    choices,
    decide,
    diff,
    effects,
    parameters,
)
from tests.server.support import Api, on_both, operation, workflow

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import runs, schedules
from stepwell.step import new_step

DAY = parameters("day", day={"type": "string"})


def start(client: Any, name: str, **values: Any) -> str:
    answer = client.post(f"workflows/weather/{name}/runs", json={"parameters": values})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def orphan(server: Server, name: str, state: Any = None) -> UUID:
    """A ready step of the group that no run holds."""
    step = new_step(f"v1/weather/{name}", state, flow_id=new_id())
    with server.db.write() as conn:
        server.db.client(conn).add(step)
    return step.id


@on_both
def test_ready_steps_whose_operation_goes_are_counted_by_whether_a_run_finishes_them(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a", "load", "report")), **ALL)
    start(client, "a")
    lost = [str(orphan(server, "a/load")) for _ in range(2)]
    told = effects(diff(client, discover(workflow("a", "fetch-it", "report", "check"))))
    assert sorted(told["steps-lose-handler"]["ids"]) == sorted(lost)
    assert told["steps-lose-handler"]["count"] == 2
    assert "2 waiting steps (load) lose their handler" in told["steps-lose-handler"]["sentence"]
    assert told["steps-finish"]["count"] == 1
    assert "runs to the end on release 1" in told["steps-finish"]["sentence"]


def test_every_step_of_a_workflow_that_goes_loses_its_handler(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a"), workflow("b", "x", "y")), **ALL)
    orphan(server, "b/x")
    told = effects(diff(client, discover(workflow("a"))))
    assert told["steps-lose-handler"]["workflow"] == "b"


@on_both
def test_a_waiting_state_that_no_longer_fits_is_told_with_a_sample(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a", parameters=DAY)), **ALL)
    start(client, "a", day="monday")
    number = parameters("day", day={"type": "integer"})
    told = effects(diff(client, discover(workflow("a", parameters=number))))
    misfit = told["states-misfit"]
    assert misfit["count"] == 1
    sample = misfit["sample"][0]
    assert sample["path"] == "/parameters/day"
    assert sample["where"].endswith("(load)")
    assert sample["reason"] == "day: a string is given where an integer is taken"
    assert told["runs-continue"]["sentence"] == "1 run continues on release 1, as started."


def test_a_secret_value_that_does_not_fit_is_not_shown(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    text = parameters(password={"type": "string"}, pin={"type": "string", "format": "password"})
    decide(client, discover(workflow("a", parameters=text)), **ALL)
    start(client, "a", password="hunter2", pin="hunter3")
    few = parameters(password={"enum": ["x"]}, pin={"const": "y", "format": "password"})
    discovery = discover(workflow("a", parameters=few))
    answer = client.get(f"groups/weather/discoveries/{discovery}/diff")
    assert "states-misfit" in effects(answer.json())
    assert "hunter" not in answer.text


def test_a_secret_default_is_not_shown(api: Api, discover: Discover) -> None:
    client = api("admin")

    def entry(secret: str) -> dict[str, Any]:
        return workflow("a", parameters=parameters(api_key={"type": "string", "default": secret}))

    decide(client, discover(entry("hunter2")), **ALL)
    discovery = discover(entry("hunter3"), workflow("b", parameters=entry("hunter4")["parameters"]))
    answer = client.get(f"groups/weather/discoveries/{discovery}/diff")
    sentences = [c["sentence"] for one in answer.json()["workflows"] for c in one["changes"]]
    assert "The default of api_key changes; its value is (hidden)." in sentences
    assert "hunter" not in answer.text


@on_both
def test_runs_finish_on_the_release_that_they_were_started_with(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a")), **ALL)
    start(client, "a")
    decide(client, discover(workflow("a", tags=["two"])), **ALL)
    start(client, "a")
    start(client, "a")
    told = diff(client, discover(workflow("a", tags=["three"])))["effects"]
    assert [one["sentence"] for one in told if one["code"] == "runs-continue"] == [
        "1 run continues on release 1, as started.",
        "2 runs continue on release 2, as started.",
    ]


def test_the_next_fire_after_acceptance_is_told_with_its_zone(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("a", schedule=DAILY)), **ALL)
    later = {**DAILY, "expression": "15 22 * * *"}
    told = effects(diff(client, discover(workflow("a", schedule=later))))["schedule-next"]
    assert told["sentence"].startswith("The schedule default is next due ")
    assert told["sentence"].endswith(" 22:15 Europe/Oslo.")
    assert len(told["fires"]) == 1


def test_a_paused_schedule_and_a_new_one_are_told_as_such(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a", schedule=DAILY)), **ALL)
    with server.db.read() as conn:
        row = conn.execute(select(schedules.c.id)).scalar_one()
    client.post(f"schedules/{row}/pauses", json={"reason": "holiday"})
    found = diff(
        client, discover(workflow("a", schedule=DAILY, tags=["x"]), workflow("b", schedule=DAILY))
    )
    told = {
        one["workflow"]: one["sentence"]
        for one in found["effects"]
        if one["code"] == "schedule-next"
    }
    assert told["a"].startswith("The schedule default is paused; its next instant is ")
    assert told["b"].startswith("The schedule default is new: it is next due ")


def test_retries_timeouts_and_removed_operations_of_running_workflows_are_risks(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    before = workflow("a", operations=[operation("load"), operation("report", 2)])
    decide(client, discover(before), **ALL)
    start(client, "a")
    after = workflow("a", deadline=60.0, operations=[operation("load", retries=3, timeout=5.0)])
    codes = [one["code"] for one in diff(client, discover(after))["risks"]]
    assert sorted(codes) == sorted(
        ["timeout-changed", "retries-changed", "timeout-changed", "removed-while-running"]
    )


def test_a_new_secret_is_a_security_risk_and_shows_its_reference_only(
    api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a")), **ALL)
    client.patch("groups/weather", json={"secrets": {"DB_PASS": "env:PROD_DB_PASS"}})
    found = diff(client, discover(workflow("a")))
    change = next(one for one in found["group_changes"] if one["category"] == "secrets")
    assert (change["impact"], change["after"]) == ("security", "env:PROD_DB_PASS")
    assert "new-secret" in [one["code"] for one in found["risks"]]


def test_variables_are_told_by_name_and_never_by_value(api: Api, discover: Discover) -> None:
    client = api("admin")
    decide(client, discover(workflow("a")), **ALL)
    client.patch("groups/weather", json={"environment": {"MODE": "hunter2"}})
    answer = client.get(f"groups/weather/discoveries/{discover(workflow('a'))}/diff")
    sentences = [one["sentence"] for one in answer.json()["group_changes"]]
    assert sentences == ["The image gets the variable MODE."]
    assert "hunter2" not in answer.text


def test_a_release_that_does_not_know_its_secrets_says_that_they_are_unavailable(
    server: Server, api: Api, discover: Discover
) -> None:
    """A release that an older version made: null is not taken for none."""
    client = api("admin")
    decide(client, discover(workflow("a")), **ALL)
    with server.db.write() as conn:
        conn.exec_driver_sql("UPDATE releases SET secrets = NULL, environment = NULL")
    found = diff(client, discover(workflow("a")))
    assert [one["unavailable"] for one in found["group_changes"]] == [["before"]]
    assert "is unavailable in what is released" in found["unavailable"][0]


def test_another_digest_under_the_same_tag_is_a_risk_for_images(
    api: Api, discover: Discover
) -> None:
    client = api("admin")
    first = discover(workflow("a"), launcher="other")
    decide(client, first, **ALL)
    found = diff(client, discover(workflow("a")))
    assert [one["code"] for one in found["risks"]] == ["digest-changed-under-tag"]


def test_an_image_without_a_digest_is_a_risk(api: Api, discover: Discover) -> None:
    found = diff(api("admin"), discover(workflow("a"), digest="latest"))
    assert [one["code"] for one in found["risks"]] == ["image-without-digest"]


def test_trials_and_ended_runs_are_no_runs_in_flight(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a")), **ALL)
    start(client, "a")
    with server.db.write() as conn:
        conn.execute(runs.update().values(state="succeeded", finished_at=clock.now()))
    discovery = discover(workflow("a", tags=["x"]))
    body = {"workflow": "a"}
    client.post(f"groups/weather/discoveries/{discovery}/trials", json=body)
    assert "runs-continue" not in effects(diff(client, discovery))


def test_a_hold_has_an_end_or_waits_until_it_is_decided(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    first = discover(workflow("a"), workflow("b", "x", "y"))
    soon = (clock.now() + timedelta(hours=1)).isoformat()
    held = [{"workflow": "a", "decision": "hold", "until": soon}, *choices(b="hold")]
    assert decide(client, first, decisions=held).status_code == 201
    found = diff(client, first)
    assert (found["pending"], sorted(found["held"])) == (["b"], ["a", "b"])
    assert client.get("reviews").json()["items"][0]["pending"] == ["b"]
