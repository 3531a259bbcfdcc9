"""Operators pause queues and set limits and rates without a way to the database (R20)."""

from __future__ import annotations

from tests.server.support import Api, on_both, problem

from stepwell.engine import StepClient
from stepwell.server.app import Server
from stepwell.step import new_step
from stepwell.stores.controls import ControlKind


@on_both
def test_a_queue_is_paused_and_resumed_with_who_and_why(api: Api, server: Server) -> None:
    operator = api("operator")
    body = {"kind": "pause", "key": "mail", "reason": "it moves"}
    made = operator.post("/controls", json=body)
    assert made.status_code == 200, made.text
    assert made.json()["changed_by"].startswith("operator")
    (held,) = StepClient(server.db.store).controls()
    assert (held.kind, held.key, held.reason) == (ControlKind.PAUSE, "mail", "it moves")
    (shown,) = api("viewer").get("/controls").json()["items"]
    assert shown["reason"] == "it moves"
    at = {"kind": "pause", "key": "mail"}
    assert operator.delete("/controls", params=at).status_code == 204
    problem(operator.delete("/controls", params=at), 404, "control-not-found")
    actions = [one["action"] for one in api("admin").get("/audit").json()["items"]]
    told = [one for one in actions if one.startswith("control.")]
    assert told == ["control.remove", "control.set"]


@on_both
def test_the_queues_there_are_can_be_looked_up_but_for_the_servers_own(
    api: Api, server: Server
) -> None:
    steps = StepClient(server.db.store)
    for queue in ("mail", "images", "mail"):
        steps.add(new_step("v1/test/send", queue=queue))
    found = api("viewer").get("/controls/queues").json()["items"]
    assert [one for one in found if one in ("images", "mail", "server")] == ["images", "mail"]


def test_limits_and_rates_are_set(api: Api) -> None:
    operator = api("operator")
    operator.post("/controls", json={"kind": "limit", "key": "smtp", "slots": 3})
    operator.post("/controls", json={"kind": "rate", "key": "smtp", "slots": 600, "period": 60})
    found = operator.get("/controls").json()["items"]
    assert [(one["kind"], one["slots"], one["period"]) for one in found] == [
        ("limit", 3, None),
        ("rate", 600, 60.0),
    ]


def test_what_cannot_be_meant_is_refused(api: Api) -> None:
    operator = api("operator")
    protected = {"kind": "pause", "key": "server", "reason": "x"}
    problem(operator.post("/controls", json=protected), 403, "step-protected")
    for body in (
        {"kind": "limit", "key": "a"},
        {"kind": "rate", "key": "a", "slots": 1},
    ):
        problem(operator.post("/controls", json=body), 422, "control-unclear")
    unsaid = {"kind": "pause", "key": "a"}
    assert operator.post("/controls", json=unsaid).status_code == 422
    viewer = api("viewer").post("/controls", json={**protected, "key": "mail"})
    problem(viewer, 403, "role-missing")
