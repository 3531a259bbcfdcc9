"""State: versions, compare-and-swap, time to live, and edits by people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.server.support import Api, on_both

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.state import queries, service
from stepwell.server.state.records import Author, Write
from stepwell.server.state.service import StateChanged

SCOPE = "workflow:nightly"
RUN, STEP = new_id(), new_id()


def write(server: Server, key: str = "mark", value: Any = 1, **fields: Any) -> int:
    author = Author(name="run 1", run_id=RUN, step_id=STEP)
    wanted = Write(scope=fields.pop("scope", SCOPE), key=key, value=value, **fields)
    with server.db.write() as conn:
        return service.write(conn, "weather", wanted, author)


def read(server: Server, key: str = "mark") -> Any:
    with server.db.read() as conn:
        entry = service.current(conn, "weather", SCOPE, key)
    return None if entry is None else entry.value


@on_both
def test_a_write_adds_a_version_and_the_newest_one_is_read(server: Server) -> None:
    assert [write(server, value=value) for value in ({"a": 1}, [2], None)] == [1, 2, 3]
    assert read(server) is None
    with server.db.read() as conn:
        entry = service.current(conn, "weather", SCOPE, "mark")
    assert entry is not None
    assert (entry.version, entry.run_id, entry.step_id) == (3, RUN, STEP)


@on_both
def test_a_swap_holds_only_for_the_current_version(server: Server) -> None:
    write(server, expect_version=0)
    write(server, value=2, expect_version=1)
    for stale in (0, 1, 3):
        with pytest.raises(StateChanged):
            write(server, value=9, expect_version=stale)
    assert read(server) == 2


@on_both
def test_of_two_writers_at_once_only_one_who_expected_a_version_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain save never asked for a compare-and-swap, so it must not fail its operation."""
    write(server)
    latest, overtaken = queries.latest, [True]

    def once_too_early(*place: Any) -> Any:
        return None if overtaken and overtaken.pop() else latest(*place)

    monkeypatch.setattr(queries, "latest", once_too_early)
    assert write(server, value=2) == 2
    overtaken.append(True)
    with pytest.raises(StateChanged):
        write(server, value=3, expect_version=0)
    assert read(server) == 2


def test_a_deleted_value_is_absent_and_may_be_written_anew(server: Server) -> None:
    write(server)
    write(server, delete=True)
    assert read(server) is None
    assert write(server, value=5, expect_version=0) == 3


def test_a_value_past_its_time_is_absent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """To readers, to lists and to a swap alike."""
    write(server, ttl=60)
    assert read(server) == 1
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert read(server) is None
    assert write(server, value=2, expect_version=0) == 2


def test_only_the_last_hundred_versions_are_kept(
    server: Server, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "KEPT_VERSIONS", 3)
    for value in range(5):
        write(server, value=value)
    where = {"scope": SCOPE, "key": "mark"}
    items = api("viewer").get("/state/weather/history", params=where).json()["items"]
    assert [item["version"] for item in items] == [5, 4, 3]


def test_current_values_are_listed_by_name_and_page(server: Server, api: Api) -> None:
    for key in ("b", "a", "c"):
        write(server, key)
    write(server, "c", delete=True)
    write(server, "a", scope="group")
    client = api("viewer")
    first = client.get("/state", params={"limit": 2}).json()
    rest = client.get("/state", params={"limit": 2, "cursor": first["next"]}).json()
    names = [(one["scope"], one["key"]) for one in first["items"] + rest["items"]]
    assert names == [("group", "a"), (SCOPE, "a"), (SCOPE, "b")]
    narrowed = client.get("/state", params={"scope": SCOPE, "prefix": "b"}).json()["items"]
    assert [one["key"] for one in narrowed] == ["b"]


def test_an_operator_edits_with_the_version_that_was_seen_and_a_reason(
    server: Server, api: Api
) -> None:
    write(server)
    client, where = api("operator"), {"scope": SCOPE, "key": "mark"}
    edit = {"value": 7, "expect_version": 1, "reason": "reload from Monday"}
    answer = client.post("/state/weather/edits", params=where, json=edit)
    assert (answer.status_code, answer.json()["version"]) == (201, 2)
    assert answer.json()["run_id"] is None
    stale = client.post("/state/weather/edits", params=where, json=edit)
    assert (stale.status_code, stale.json()["code"]) == (409, "state-changed")
    removal = {"delete": True, "expect_version": 2, "reason": "start anew"}
    assert client.post("/state/weather/edits", params=where, json=removal).json()["deleted"]
    entries = [
        one
        for one in api("admin").get("/audit").json()["items"]
        if one["action"].startswith("state.")
    ]
    assert [one["action"] for one in entries] == ["state.delete", "state.edit"]
    assert entries[0]["reason"] == "start anew"


@pytest.mark.parametrize(
    ("where", "edit"),
    [
        ({"scope": "elsewhere"}, {}),
        ({"scope": "workflow:Nightly"}, {}),
        ({"key": ""}, {}),
        ({}, {"reason": ""}),
        ({}, {"value": "x" * 300_000}),
        ({}, {"ttl": 0}),
    ],
)
def test_an_edit_that_does_not_fit_changes_nothing(
    server: Server, api: Api, where: dict[str, str], edit: dict[str, Any]
) -> None:
    body = {"value": 1, "expect_version": 0, "reason": "r", **edit}
    params = {"scope": SCOPE, "key": "mark", **where}
    answer = api("operator").post("/state/weather/edits", params=params, json=body)
    assert answer.status_code == 422, answer.text
    assert read(server) is None


def test_a_viewer_edits_nothing(api: Api) -> None:
    body = {"value": 1, "expect_version": 0, "reason": "r"}
    params = {"scope": SCOPE, "key": "mark"}
    assert api("viewer").post("/state/weather/edits", params=params, json=body).status_code == 403


def test_what_was_never_written_is_not_found(api: Api) -> None:
    params = {"scope": SCOPE, "key": "mark"}
    for path in ("entry", "history"):
        answer = api("viewer").get(f"/state/weather/{path}", params=params)
        assert (answer.status_code, answer.json()["code"]) == (404, "state-not-found")
