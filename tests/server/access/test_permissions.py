"""What pages can say before somebody tries: who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.support import Api

from stepwell.server import app
from stepwell.server.access import permissions
from stepwell.server.access.records import Role


def told(api: Api, role: str) -> dict[str, dict[str, Any]]:
    items = api(role).get("permissions").json()["items"]
    return {one["act"]: one for one in items}


@pytest.mark.parametrize(
    ("role", "operate", "review", "administer"),
    [
        ("viewer", False, False, False),
        ("operator", True, False, False),
        ("reviewer", True, True, False),
        ("admin", True, True, True),
    ],
)
def test_who_one_is_comes_with_what_one_may(
    api: Api, role: str, operate: bool, review: bool, administer: bool
) -> None:
    may = api(role).get("me").json()["may"]
    assert may == {"operate": operate, "review": review, "administer": administer}


def test_each_act_names_the_role_that_its_route_really_asks_for(api: Api) -> None:
    found = told(api, "operator")
    assert (found["start_run"]["role"], found["start_run"]["allowed"]) == ("operator", True)
    assert (found["create_user"]["role"], found["create_user"]["allowed"]) == ("admin", False)
    assert found["cancel_run"]["path"] == "/runs/{run_id}/cancellations"
    assert "list_runs" not in found


def test_what_is_told_is_what_happens(api: Api) -> None:
    """Every act that a viewer is told not to be allowed is refused."""
    client = api("viewer")
    kept = [one for one in told(api, "viewer").values() if not one["allowed"]]
    assert len(kept) > 50
    for one in kept:
        path = one["path"].lstrip("/").replace("{", "").replace("}", "")
        answer = client.request(one["method"], path, json={})
        # An id in the address that is none is found before the role is asked for.
        assert answer.status_code in (403, 404, 422), one


def test_a_token_that_only_reads_may_do_nothing_whatever_its_role(api: Api) -> None:
    body = {"name": "board", "role": "admin", "read_only": True}
    secret = api("admin").post("tokens", json=body).json()["secret"]
    client = api(None)
    client.headers["Authorization"] = f"Bearer {secret}"
    assert not any(client.get("me").json()["may"].values())
    assert not any(one["allowed"] for one in client.get("permissions").json()["items"])


def test_the_names_are_those_of_the_description(api: Api) -> None:
    described = api("viewer").get("openapi.json").json()["paths"]
    names = {one["operationId"] for path in described.values() for one in path.values()}
    acts = permissions.acts_of(app.ROOMS)
    assert {act.name for act in acts} <= names
    assert {act.role for act in acts} == set(Role)


def test_what_a_room_has_in_more_than_one_module_is_told_too(api: Api) -> None:
    found = told(api, "operator")
    assert found["add_calendar"]["path"] == "/calendars"
    assert {"start_backfill", "end_backfill"} <= found.keys()
