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
from stepwell.server.notifications import service as notifications
from stepwell.server.notifications.records import Kind, Occasion
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


@on_both
def test_what_is_renamed_finds_its_own_state_and_not_that_of_who_was_called_so_once(
    server: Server, api: Api, discover: Discover
) -> None:
    """The versions of before are below, where they can be looked at."""
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    for scope in ("workflow:daily", "operation:daily/fetch", "operation:daily/send"):
        save(server, scope, "a stranger's")
        save(server, scope, "a stranger's of late")
    save(server, "workflow:nightly", "own")
    save(server, "operation:nightly/load", "own")
    with server.db.write() as conn:
        theirs = Write(scope="workflow:daily", key="cursor", value=9)
        state.write(conn, "weather", theirs, Author(name="me"))
    renamed(client, discover)
    assert (kept(server, "workflow:daily"), kept(server, "workflow:nightly")) == ("own", None)
    assert kept(server, "operation:daily/fetch") == "own"
    assert kept(server, "operation:daily/send") is None
    with server.db.read() as conn:
        assert state.current(conn, "weather", "workflow:daily", "cursor") is None
    history = client.get("state/weather/history?scope=workflow:daily&key=mark")
    values = [(one["version"], one["value"]) for one in history.json()["items"]]
    assert values == [(3, "own"), (2, "a stranger's of late"), (1, "a stranger's")]


def test_an_operation_that_is_renamed_to_what_another_was_called_finds_its_own_state(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    save(server, "operation:nightly/fetch", "a stranger's")
    save(server, "operation:nightly/load", "own")
    second = discover(workflow("nightly", "fetch", "total", "report"))
    one = {"workflow": "nightly", "decision": "accept", "renamed_operations": {"fetch": "load"}}
    assert decide(client, second, decisions=[one]).status_code == 201
    assert kept(server, "operation:nightly/fetch") == "own"


@on_both
def test_limits_targets_and_who_is_told_go_to_the_new_name(
    server: Server, api: Api, discover: Discover
) -> None:
    """Else a rename lets more runs go on at once than somebody allowed, and nobody is told."""
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    for name, slots in (("nightly", 1), ("daily", 7)):
        limit = {"kind": "workflow", "name": f"weather/{name}", "slots": slots}
        assert client.post("run-limits", json=limit).status_code < 300
    client.post("notifications/targets", json={"name": "x", "kind": "email", "to": ["a@b.org"]})
    rule = {"target": "x", "group": "weather", "workflow": "nightly"}
    assert client.post("notifications/rules", json=rule).status_code == 201
    renamed(client, discover)
    limits = {one["name"]: one["slots"] for one in client.get("run-limits").json()["items"]}
    assert limits == {"weather/daily": 1}
    [told] = client.get("notifications/rules").json()["items"]
    assert told["workflow"] == "daily"


@on_both
def test_failures_from_before_a_rename_and_of_runs_in_flight_are_of_the_new_name(
    server: Server, api: Api, discover: Discover
) -> None:
    """Its rules are asked about them, and its next success ends them."""
    client = api("admin")
    decide(client, discover(workflow(*BEFORE)), **ALL)
    run = UUID(client.post("workflows/weather/nightly/runs", json={}).json()["id"])

    def fail(kind: Kind, cause: str) -> None:
        where: dict[str, Any] = {"group": "weather", "workflow": "nightly", "run_id": run}
        failed = Occasion(kind=kind, fingerprint=cause, sentence="It failed.", **where)
        with server.db.write() as conn:
            notifications.occur(conn, server.services, failed)

    fail(Kind.FAILURE, "before")
    renamed(client, discover)
    fail(Kind.FAILURE, "in flight")
    fail(Kind.TOO_LONG, "long")
    told = client.get("notifications/occasions?workflow=daily").json()["items"]
    assert {one["cause"] for one in told} == {"before", "in flight", "too-long:long"}
    with server.db.write() as conn:
        success: dict[str, Any] = {"group": "weather", "workflow": "daily", "run_id": run}
        ended = notifications.passed(conn, server.services, since=clock.now(), **success)
    assert set(ended) == {"before", "in flight"}


@on_both
def test_a_rollback_to_where_both_names_of_a_rename_were_gives_each_its_own(
    server: Server, api: Api, discover: Discover
) -> None:
    """It was refused: the image of then declares the name that is to be given back."""
    client = api("admin")
    both = (workflow(*BEFORE, schedule=DAILY), workflow("daily", "load", schedule=DAILY))
    decide(client, discover(*both), **ALL)
    decide(client, discover(both[0]), **ALL)
    save(server, "workflow:nightly", 1)
    renamed(client, discover)
    with server.db.read() as conn:
        [before] = conn.execute(select(schedules.c.id).where(schedules.c.active)).scalars()
    body = {"to_release": 1, "reason": "it broke"}
    answer = client.post("groups/weather/rollbacks", json=body)
    assert answer.status_code == 201, answer.text
    found = released(client, 4)
    assert {name: one["renamed_from"] for name, one in found.items()} == {
        "nightly": "daily",
        "daily": None,
    }
    assert [found[name]["renamed_operations"] for name in ("nightly", "daily")] == [
        {"load": "fetch"},
        None,
    ]
    assert (kept(server, "workflow:nightly"), kept(server, "workflow:daily")) == (1, None)
    with server.db.read() as conn:
        active = conn.execute(select(schedules).where(schedules.c.active)).mappings().all()
    assert {row["workflow"]: row["id"] == before for row in active} == {
        "nightly": True,
        "daily": False,
    }


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
