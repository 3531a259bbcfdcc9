"""Registering a group, changing it, and taking it out of use."""

from __future__ import annotations

import pytest
from tests.server.support import Api, on_both, problem

from stepwell.server.groups.service import provisional_name

IMAGE = "/srv/weather.py"


@on_both
def test_registering_names_the_group_after_its_image_and_begins_a_discovery(api: Api) -> None:
    client = api("admin")
    made = client.post("groups", json={"image": IMAGE, "reason": "new"})
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["provisional"]) == ("weather", True)
    found = client.get(f"discoveries/{made.json()['discovery_id']}").json()
    assert (found["state"], found["trigger"]) == ("waiting", "registration")
    actions = [one["action"] for one in client.get("audit").json()["items"]]
    assert {"group.register", "discovery.request"} <= set(actions)


def test_a_given_name_is_kept(api: Api) -> None:
    made = api("admin").post("groups", json={"image": IMAGE, "name": "met"}).json()
    assert (made["name"], made["provisional"]) == ("met", False)


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
def test_only_an_admin_registers_a_group(api: Api, role: str) -> None:
    """R42: registering names code that the server will start."""
    problem(api(role).post("groups", json={"image": IMAGE}), 403, "role-missing")


def test_a_second_group_of_that_name_is_refused_and_nothing_changes(api: Api) -> None:
    client = api("admin")
    client.post("groups", json={"image": IMAGE})
    problem(client.post("groups", json={"image": "/other/weather.py"}), 409, "group-exists")
    assert client.get("groups/weather").json()["image"] == IMAGE
    assert len(client.get("groups/weather/discoveries").json()["items"]) == 1


def test_a_launcher_that_is_not_enabled_is_refused_by_name(api: Api) -> None:
    answer = api("admin").post("groups", json={"image": "x", "launcher": "kubernetes"})
    assert "STEPWELL_LAUNCHERS=kubernetes" in problem(answer, 409, "launcher-off")["fix"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "image"),
        ({"image": "x", "name": "Not A Name"}, "name"),
        ({"image": "x", "environment": {"A=B": "x"}}, "environment.A=B.[key]"),
        ({"image": "x", "secrets": {"TOKEN": "the secret itself"}}, "secrets.TOKEN"),
        ({"image": "x", "imagine": 1}, "imagine"),
    ],
)
def test_a_body_that_does_not_fit_names_the_field(
    api: Api, body: dict[str, object], field: str
) -> None:
    told = problem(api("admin").post("groups", json=body), 422, "invalid-input")
    assert field in [one["field"] for one in told["errors"]]


def test_the_audit_log_has_names_of_variables_and_not_their_values(api: Api) -> None:
    client = api("admin")
    body = {"image": IMAGE, "environment": {"PASSWORD": "hunter2"}}
    client.post("groups", json=body)
    client.patch("groups/weather", json={"environment": {"PASSWORD": "hunter3"}})
    log = client.get("audit").text
    assert "PASSWORD" in log
    assert "hunter" not in log


def test_a_change_keeps_what_it_leaves_out(api: Api) -> None:
    client = api("admin")
    client.post("groups", json={"image": IMAGE, "environment": {"A": "1"}})
    changed = client.patch("groups/weather", json={"image": "/srv/weather2.py"}).json()
    assert (changed["image"], changed["environment"]) == ("/srv/weather2.py", {"A": "1"})


def test_an_archived_group_begins_nothing_new_until_it_is_restored(api: Api) -> None:
    client = api("admin")
    client.post("groups", json={"image": IMAGE})
    client.post("groups/weather/archivals", json={"reason": "moved"})
    assert client.get("groups").json()["items"] == []
    assert len(client.get("groups?archived=true").json()["items"]) == 1
    problem(client.post("groups/weather/discoveries", json={}), 409, "group-archived")
    client.post("groups/weather/restorations", json={})
    assert client.post("groups/weather/discoveries", json={}).status_code == 201


def test_an_unknown_group_is_named_in_the_answer(api: Api) -> None:
    told = problem(api("viewer").get("groups/nowhere"), 404, "group-not-found")
    assert "'nowhere'" in told["what"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("/home/me/my_group.py", "my-group"),
        ("registry.example.com/team/ETL.v2:2026-01", "etl-v2"),
        ("reg/x@sha256:abc", "x"),
        ("/srv/2nd.py", "group-2nd"),
        ("/srv/___/", "group"),
    ],
)
def test_a_provisional_name_is_made_of_the_images_last_part(image: str, name: str) -> None:
    assert provisional_name(image) == name
