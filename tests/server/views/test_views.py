"""Saved views: private, shared, chosen; and the four that are always there."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient
from tests.server.support import Api, on_both, problem

NEW = {"name": "Slow ones", "query": "took>5m", "columns": ["workflow", "took"]}


def names(client: TestClient) -> list[str]:
    return [one["name"] for one in client.get("views").json()["items"]]


@on_both
def test_four_are_built_in_and_their_queries_can_be_read(api: Api) -> None:
    client = api("viewer")
    found = client.get("views").json()["items"]
    assert [one["name"] for one in found] == ["Failing", "Running long", "Waiting", "Mine"]
    for one in found:
        assert client.get("runs", params={"q": one["query"]}).status_code == 200
    assert client.get("views?screen=schedules").json()["items"] == []


@on_both
def test_a_private_view_is_seen_by_its_owner_and_a_shared_one_by_all(api: Api) -> None:
    mine, other = api("viewer"), api("viewer")
    assert mine.post("views", json=NEW).status_code == 201
    assert mine.post("views", json={**NEW, "name": "Ours", "shared": True}).status_code == 201
    assert names(mine)[4:] == ["Ours", "Slow ones"]
    assert names(other)[4:] == ["Ours"]


@on_both
def test_a_view_is_changed_by_its_owner_or_an_admin(api: Api) -> None:
    mine, other = api("viewer"), api("operator")
    made = mine.post("views", json={**NEW, "shared": True}).json()
    path = f"views/{made['id']}"
    problem(other.patch(path, json={"name": "x"}), 403, "view-foreign")
    assert (
        api("admin").patch(path, json={"query": "state:failed"}).json()["query"] == "state:failed"
    )
    assert mine.patch(path, json={"shared": False}).json()["shared"] is False
    problem(other.patch(path, json={"name": "x"}), 404, "view-not-found")
    problem(other.delete(path), 404, "view-not-found")
    assert mine.delete(path).status_code == 200
    assert names(mine)[4:] == []


@on_both
def test_what_cannot_be_a_view_is_refused(api: Api) -> None:
    client = api("viewer")
    bad = problem(client.post("views", json={**NEW, "query": "stat:x"}), 422, "query-invalid")
    assert bad["problems"] == [{"column": 1}]
    client.post("views", json=NEW)
    problem(client.post("views", json=NEW), 409, "view-name-taken")
    problem(client.post("views", json={**NEW, "name": " "}), 422, "invalid-input")


@on_both
def test_each_user_has_a_default(api: Api) -> None:
    mine, other = api("viewer"), api("viewer")

    def defaults(client: TestClient) -> list[Any]:
        return [one["name"] for one in client.get("views").json()["items"] if one["default"]]

    made = mine.post("views", json=NEW).json()
    mine.put("views/default", json={"builtin": "failing"})
    assert (defaults(mine), defaults(other)) == (["Failing"], [])
    mine.put("views/default", json={"view_id": made["id"]})
    assert defaults(mine) == ["Slow ones"]
    problem(other.put("views/default", json={"view_id": made["id"]}), 404, "view-not-found")
    problem(other.put("views/default", json={"builtin": "none"}), 404, "view-not-found")
    mine.delete(f"views/{made['id']}")
    assert defaults(mine) == []
    mine.put("views/default", json={})
    assert defaults(mine) == []
