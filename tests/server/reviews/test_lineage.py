"""Aliases are lineage: what was renamed takes its state, schedules and figures along (R37)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.server.reviews import conftest
from tests.server.reviews.conftest import Discover
from tests.server.reviews.support import ALL, DAILY, choices, decide, diff, released
from tests.server.support import Api, manifest, on_both, operation, problem, workflow

from stepwell import clock
from stepwell.server.app import Server
from stepwell.server.database.tables import metrics_pending, schedules
from stepwell.server.metrics import service as metrics
from stepwell.server.metrics.records import Ending
from stepwell.server.runs import queries as runs
from stepwell.server.runs import scopes
from stepwell.server.state import service as state
from stepwell.server.state.records import Author, Write
from stepwell.step import EndedAs

BEFORE = ("nightly", "load", "total", "report")


def save(server: Server, scope: str, value: Any) -> None:
    with server.db.write() as conn:
        state.write(conn, "weather", Write(scope=scope, key="mark", value=value), Author(name="me"))


def kept(server: Server, scope: str) -> Any:
    with server.db.read() as conn:
        entry = state.current(conn, "weather", scope, "mark")
    return None if entry is None else entry.value


def renamed(client: Any, discover: Discover) -> str:
    """Accept that nightly is daily now, and its operation load is called fetch."""
    second = discover(workflow("daily", "fetch", "total", "report", schedule=DAILY))
    one = {"workflow": "daily", "decision": "accept", "renamed_from": "nightly"}
    body = [{**one, "renamed_operations": {"fetch": "load"}}, *choices(nightly="accept")]
    answer = decide(client, second, decisions=body[:1])
    assert answer.status_code == 201, answer.text
    return second


@on_both
def test_state_schedules_and_figures_go_to_the_new_name(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow(*BEFORE, schedule=DAILY)), **ALL)
    save(server, "workflow:nightly", 1)
    save(server, "operation:nightly/load", 2)
    save(server, "operation:nightly/total", 3)
    with server.db.write() as conn:
        same: dict[str, Any] = {"group": "weather", "ended_as": EndedAs.DONE, "duration": 1.0}
        same["at"] = clock.now()
        ended = [Ending(**same, workflow="nightly", operation=one) for one in ("", "load")]
        metrics.record(conn, ended)
    renamed(client, discover)
    assert released(client, 2)["daily"]["renamed_operations"] == {"fetch": "load"}
    assert kept(server, "workflow:daily") == 1
    assert kept(server, "operation:daily/fetch") == 2
    assert kept(server, "operation:daily/total") == 3
    assert kept(server, "workflow:nightly") is None
    with server.db.read() as conn:
        names = conn.execute(select(metrics_pending.c.workflow, metrics_pending.c.operation)).all()
        row = conn.execute(select(schedules)).mappings().one()
    assert sorted(tuple(one) for one in names) == [("daily", ""), ("daily", "fetch")]
    assert (row["workflow"], row["active"]) == ("daily", True)


@on_both
def test_a_run_in_flight_under_the_old_name_finds_and_keeps_its_state(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    save(server, "operation:nightly/load", 1)
    run = client.post("workflows/weather/nightly/runs", json={}).json()["id"]
    renamed(client, discover)
    with server.db.write() as conn:
        row = runs.get(conn, UUID(run))
        assert row is not None
        found = scopes.read(conn, row, "operation:nightly/load", "mark")
        assert found is not None
        assert found.value == 1
        write = Write(scope="operation:nightly/load", key="mark", value=2, expect_version=1)
        scopes.write(conn, row, write, Author(name="run"))
    assert kept(server, "operation:daily/fetch") == 2


@on_both
def test_a_rollback_takes_the_state_back_to_the_old_name(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    save(server, "workflow:nightly", 1)
    renamed(client, discover)
    save(server, "workflow:daily", 2)
    client.post("groups/weather/rollbacks", json={"to_release": 1})
    assert kept(server, "workflow:nightly") == 2
    assert set(released(client, 3)) == {"nightly"}


def test_what_the_new_name_has_already_is_not_overwritten(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    save(server, "workflow:nightly", "old")
    save(server, "workflow:daily", "new")
    renamed(client, discover)
    assert (kept(server, "workflow:daily"), kept(server, "workflow:nightly")) == ("new", "old")


def test_an_operation_cannot_continue_one_that_is_still_there(api: Api, discover: Discover) -> None:
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    second = discover(workflow("nightly", "load", "total", "report", "send"))
    body = [{"workflow": "nightly", "decision": "accept", "renamed_operations": {"send": "load"}}]
    problem(decide(client, second, decisions=body), 409, "rename-invalid")


def test_a_workflow_whose_class_and_an_operation_were_renamed_is_recognised(
    api: Api, discover: Discover
) -> None:
    client = api("admin")
    rows = {"from": "parameter", "schema": {"type": "integer"}, "required": True}

    def entry(name: str, last: str) -> dict[str, Any]:
        steps = [operation("load"), operation(last, 2, inputs={"limit": rows})]
        return workflow(name, operations=steps)

    decide(client, discover(entry("nightly", "add-up")), **ALL)
    found = diff(client, discover(entry("daily", "total")))["workflows"]
    assert [(one["workflow"], one["renamed_from"]) for one in found] == [("daily", "nightly")]


@on_both
def test_a_rollback_is_reviewed_with_the_sides_reversed_and_decided_in_part(
    api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a"), workflow("b", "x", "y")), **ALL)
    newest = discover(workflow("a", tags=["t"]), workflow("b", "x", "y", tags=["t"]))
    decide(client, newest, **ALL)
    found = client.get("groups/weather/releases/1/review").json()
    assert (found["kind"], found["to_release"], found["release"]) == ("rollback", 1, 2)
    assert found["pending"] == ["a", "b"]
    assert found["workflows"][0]["changes"][0]["sentence"] == "Its tags change from t to none."
    body = {"decisions": choices(a="accept"), "against_release": 2, "reason": "a broke"}
    made = client.post("groups/weather/releases/1/decisions", json=body).json()
    assert (made["release"]["number"], made["release"]["rollback_of"]) == (3, 1)
    tags = {name: one["entry"]["tags"] for name, one in released(client, 3).items()}
    assert tags == {"a": [], "b": ["t"]}
    assert client.get("reviews").json()["items"] == []
    again = diff(client, newest)
    assert "Rolled back to release 1: a broke" in again["verdict"]
    assert again["pending"] == []


@on_both
def test_comparing_releases_follows_renames_both_ways(api: Api, discover: Discover) -> None:
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    renamed(client, discover)
    forth = client.get("groups/weather/releases/2/diff?against=1").json()["workflows"]
    back = client.get("groups/weather/releases/1/diff?against=2").json()["workflows"]
    assert [(one["workflow"], one["renamed_from"]) for one in forth] == [("daily", "nightly")]
    assert [(one["workflow"], one["renamed_from"]) for one in back] == [("nightly", "daily")]


def test_a_release_says_what_its_source_declares_for_the_whole_group(
    api: Api, discover: Discover, monkeypatch: pytest.MonkeyPatch
) -> None:
    def declared(*entries: dict[str, Any]) -> dict[str, Any]:
        made = manifest(*entries)
        return {**made, "group": {**made["group"], "owner": "the data team", "limit": 3}}

    client = api("reviewer")
    decide(client, discover(workflow("nightly")), decisions=choices(nightly="accept"))
    first = client.get("groups/weather/releases/1").json()
    assert (first["owner"], first["limit"]) == (None, None)
    monkeypatch.setattr(conftest, "manifest", declared)
    decide(client, discover(workflow("nightly")), decisions=choices(nightly="accept"))
    second = client.get("groups/weather/releases/2").json()
    assert (second["owner"], second["limit"]) == ("the data team", 3)
