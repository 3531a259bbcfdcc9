"""State: looking back, restoring, importing, its readers, and how it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.state.test_api import RUN, SCOPE, read, write
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.state import kept, reading

WHERE = {"scope": SCOPE, "key": "mark"}


@pytest.fixture
def operator(api: Api) -> TestClient:
    return api("operator")


def post(client: TestClient, path: str, body: dict[str, Any], **where: str) -> Any:
    return client.post(f"/state/weather/{path}", params=where, json={"reason": "why", **body})


@on_both
def test_a_version_is_compared_with_the_one_before_it(server: Server, operator: TestClient) -> None:
    for value in ({"a": 1, "b": [1]}, {"a": 2, "b": [1, 2]}, None):
        write(server, value=value)
    path = "/state/weather/changes"
    second = operator.get(path, params={**WHERE, "version": 2}).json()
    assert [(one["path"], one["kind"]) for one in second["changes"]] == [
        ("/a", "changed"),
        ("/b/1", "added"),
    ]
    newest = operator.get(path, params=WHERE).json()
    assert (newest["version"], newest["other"]) == (3, 2)
    assert operator.get(path, params={**WHERE, "version": 1}).json()["other"] == 0
    unknown = operator.get(path, params={**WHERE, "version": 9})
    problem(unknown, 404, "state-not-found")


@on_both
def test_an_earlier_version_is_restored_as_a_new_one(server: Server, operator: TestClient) -> None:
    """With the version that was seen, a reason, and only a version that has a value."""
    write(server, value="first")
    write(server, delete=True)
    body = {"version": 1, "expect_version": 0}
    answer = post(operator, "restores", body, **WHERE)
    assert (answer.status_code, answer.json()["version"]) == (201, 3)
    assert read(server) == "first"
    problem(post(operator, "restores", body, **WHERE), 409, "state-changed")
    deletion = {"version": 2, "expect_version": 3}
    problem(post(operator, "restores", deletion, **WHERE), 404, "state-not-found")


def test_who_restores_says_why(server: Server, operator: TestClient, api: Api) -> None:
    write(server, value="first")
    post(operator, "restores", {"version": 1, "expect_version": 1}, **WHERE)
    entry = api("admin").get("/audit", params={"action": "state.edit"}).json()["items"][0]
    assert entry["reason"] == "Restored version 1: why"
    problem(post(api("viewer"), "restores", {}, **WHERE), 403, "role-missing")


@on_both
def test_what_a_list_shows_can_be_imported_whole_or_not_at_all(
    server: Server, operator: TestClient
) -> None:
    for key in ("a", "b"):
        write(server, key, value=key)
    entries = operator.get("/state").json()["items"]
    answer = operator.post("/state/other/imports", json={"entries": entries, "reason": "move"})
    assert answer.json() == {"written": 2, "left": 0}
    new = [{"scope": SCOPE, "key": "new", "value": 1}, {**entries[0], "value": 9}]
    for on_conflict, result in (("error", None), ("keep", (1, 1)), ("replace", (2, 0))):
        body = {"entries": new, "on_conflict": on_conflict}
        answer = post(operator, "imports", body)
        if result is None:
            problem(answer, 409, "state-changed")
            assert read(server, "new") is None
        else:
            assert tuple(answer.json().values()) == result
    assert (read(server, "a"), read(server, "new")) == (9, 1)


def test_what_has_expired_is_not_imported(server: Server, operator: TestClient) -> None:
    past = {"scope": SCOPE, "key": "a", "value": 1, "expires_at": "2026-01-01T00:00:00Z"}
    assert post(operator, "imports", {"entries": [past]}).json() == {"written": 0, "left": 1}
    assert read(server, "a") is None


@on_both
def test_readers_are_noted_once_a_minute(
    server: Server, operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(server)
    first, second = new_id(), new_id()

    def note(run: UUID, reader: str = "nightly/load") -> None:
        reading.note_reader(server.db, "weather", SCOPE, "mark", reader, run)

    def readers() -> list[tuple[str, str]]:
        found = operator.get("/state/weather/readers", params=WHERE).json()
        return [(one["reader"], one["run_id"]) for one in found]

    note(first)
    note(second)
    assert readers() == [("nightly/load", str(first))]
    note(second, "other/load")
    monkeypatch.setattr(reading, "EVERY", 0.0)
    note(second)
    assert readers() == [("nightly/load", str(second)), ("other/load", str(second))]


@on_both
def test_what_has_expired_loses_its_history_and_then_its_number(server: Server) -> None:
    """The number outlives the value: a swap that has seen it meets no other value under it."""
    write(server, value="old")
    write(server, value="new", ttl=60)
    write(server, "stays", ttl=100_000)
    write(server, "plain")
    expired, deleted, *_ = kept.KINDS
    later = clock.now() + timedelta(minutes=2)
    assert expired.count(server.services, later, 10) == 1
    assert expired.sweep(server.services, later, 10) == 1
    assert expired.sweep(server.services, later, 10) == 0
    with server.db.read() as conn:
        rows = conn.exec_driver_sql("SELECT version, deleted FROM state_entries WHERE key='mark'")
        assert [(row[0], bool(row[1])) for row in rows] == [(2, True)]
    assert (read(server), read(server, "stays"), read(server, "plain")) == (None, 1, 1)
    assert write(server, value="again", expect_version=0) == 3
    write(server, delete=True)
    assert deleted.count(server.services, later, 10) == 1
    assert deleted.sweep(server.services, later, 10) == 1
    with server.db.read() as conn:
        keys = conn.exec_driver_sql("SELECT key FROM state_entries ORDER BY key").scalars()
        assert list(keys) == ["plain", "stays"]


def test_a_version_knows_whether_it_is_there(server: Server, operator: TestClient) -> None:
    write(server)
    assert operator.get("/state/weather/entry", params=WHERE).json()["exists"]
    assert operator.get("/state/weather/entry", params=WHERE).json()["run_id"] == str(RUN)
    write(server, delete=True)
    assert not operator.get("/state/weather/entry", params=WHERE).json()["exists"]
