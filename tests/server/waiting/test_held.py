"""Runs that are held by what operators have set: pauses, limits and rates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import Start
from tests.server.runs.support import Work, rows
from tests.server.support import on_both
from tests.server.waiting.support import Why

from stepwell.engine import Engine
from stepwell.outcome import Outcome, done
from stepwell.registry import Registry
from stepwell.server.app import Server
from stepwell.server.waiting.records import Code
from stepwell.step import new_step

HOLDERS = [("workflow", "weather/nightly"), ("group", "weather"), ("pool", "etl-db")]


@pytest.fixture
def entry(entry: dict[str, Any]) -> dict[str, Any]:
    """It takes its slots from a pool, too."""
    return {**entry, "pool": "etl-db"}


@on_both
@pytest.mark.parametrize(("kind", "name"), HOLDERS)
def test_what_has_no_slots_at_all_is_paused_by_whoever_took_them(
    client: TestClient, start: Start, why: Why, work: Work, show: Start, kind: str, name: str
) -> None:
    body = {"kind": kind, "name": name, "slots": 0, "reason": "db upgrade"}
    assert client.post("run-limits", json=body).status_code == 200
    run = start()
    work(lambda: show(run)["waiting"])
    found = why(run)
    assert found["reason"]["code"] == "PAUSED_WORKFLOW"
    assert found["sentence"].startswith("Paused by operator-")
    assert found["sentence"].endswith(f"'db upgrade'. The {kind} *{name}* has no slots.")
    option = "" if kind == "pool" else f"--{kind} "
    assert found["reason"]["actions"][0]["command"] == f"stepwell pools remove {option}{name}"
    assert "CONCURRENCY" not in [one["code"] for one in found["then_also"]]
    client.delete(found["reason"]["actions"][0]["path"].lstrip("/"))
    work(lambda: show(run)["state"] == "starting")


@on_both
def test_a_paused_queue_of_operations_says_who_paused_it(
    client: TestClient, start: Start, why: Why, engine: None
) -> None:
    run = start()
    body = {"kind": "pause", "key": "runs", "reason": "db upgrade"}
    assert client.post("controls", json=body).status_code == 200
    found = why(run)
    assert found["reason"]["code"] == "PAUSED_SYSTEM"
    assert found["sentence"].endswith("'db upgrade'.")
    assert found["reason"]["actions"][0]["command"] == "stepwell queues resume runs"


def sent(server: Server, run: dict[str, Any], count: int, **keys: Any) -> None:
    """Steps that an application on the same database adds to a run, as long as it has begun."""
    registry = Registry()

    @registry.handler("mail")
    def mail() -> Outcome:
        return done()

    engine = Engine(server.db.store, registry, queues=("mails",))
    for _ in range(count):
        engine.add(new_step("mail", queue="mails", flow_id=UUID(run["id"]), **keys))
    engine.drain(patience=0.0)


@on_both
def test_a_rate_that_is_used_up_says_when_the_next_slot_is(
    server: Server, client: TestClient, start: Start, why: Why
) -> None:
    run = start()
    body = {"kind": "rate", "key": "smtp", "slots": 1, "period": 1800.0}
    assert client.post("controls", json=body).status_code == 200
    sent(server, run, 2, rate_key="smtp")
    (left,) = (one for one in rows(server, run) if one.name == "mail" and one.ended_as is None)
    found = why(run, str(left.id))
    assert found["reason"]["code"] == "RATE_LIMIT"
    said = r"The rate of \*smtp\* is used up \(1 in 1800 s\); next slot in (29|30) m \d\d s\."
    assert re.fullmatch(said, found["sentence"])
    assert found["reason"]["blocking"]["name"] == "smtp"
    assert found["reason"]["changes_at"] is not None


def test_every_reason_is_made_to_happen_in_a_test() -> None:
    """The table of reasons and the tests of this folder agree."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in Code if f'"{code}"' not in tests] == []
