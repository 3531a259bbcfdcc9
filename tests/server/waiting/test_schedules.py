"""Why a schedule starts no run now: every reason made to happen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.support import GIVEN, Work, pass_time, stop_clock
from tests.server.schedules.support import run_rows, scheduled
from tests.server.support import on_both
from tests.server.waiting.support import Asker

from stepwell import clock
from stepwell.schedules import Cron, Every, Overlap
from stepwell.server.app import Server
from stepwell.server.waiting.timing import TICK
from stepwell.step import StepQuery
from stepwell.stores.controls import Control, ControlKind


@pytest.fixture
def yearly(server: Server, client: TestClient) -> UUID:
    """A schedule of the released workflow that is due at New Year."""
    return scheduled(server, Cron("0 0 1 1 *", timezone="Europe/Oslo"), parameters=GIVEN)


@pytest.fixture
def on_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is not behind, however long its tick, which nobody runs, waits in a test."""
    with server.db.read() as conn:
        (tick,) = server.db.steps(conn).search(StepQuery(name=TICK))
    stop_clock(monkeypatch, tick.schedule_time)


@on_both
def test_a_paused_schedule_says_why_and_when_it_resumes(
    client: TestClient, asker: Asker, yearly: UUID, on_time: None
) -> None:
    until = clock.now() + timedelta(hours=6)
    body = {"reason": "db upgrade", "until": until.isoformat()}
    assert client.post(f"schedules/{yearly}/pauses", json=body).status_code < 300
    found = asker.schedule(yearly)
    assert found["reason"]["code"] == "PAUSED_SCHEDULE"
    assert found["sentence"].startswith("Paused on ")
    assert f"'db upgrade'. Resumes {until:%a %Y-%m-%d %H:%M} UTC." in found["sentence"]
    assert found["reason"]["actions"][0]["command"].startswith("stepwell schedules resume weather/")
    assert [one["code"] for one in found["then_also"]] == ["NOT_DUE"]
    assert client.delete(f"schedules/{yearly}/pauses").status_code < 300
    assert asker.schedule(yearly)["reason"]["code"] == "NOT_DUE"


@on_both
def test_a_schedule_says_when_it_is_due_next(asker: Asker, yearly: UUID) -> None:
    found = asker.schedule(yearly)
    assert found["reason"]["code"] == "NOT_DUE"
    assert "UTC (Europe/Oslo), in " in found["sentence"]
    assert found["reason"]["actions"][0]["command"].startswith("stepwell schedules run weather/")


@on_both
def test_an_instant_that_waits_for_the_run_before_names_that_run(
    server: Server, released: None, asker: Asker, work: Work
) -> None:
    spec = Every(seconds=1, overlap=Overlap.QUEUE)
    one = scheduled(server, spec, parameters=GIVEN)
    answers: list[dict[str, Any]] = []

    def overlaps() -> bool:
        answers.append(asker.schedule(one))
        return "OVERLAP" in str(answers[-1]["reason"])

    work(overlaps)
    found = answers[-1]
    (first,) = run_rows(server, one)
    assert found["sentence"].startswith(f"The previous run {first['id']} is still starting (")
    assert found["sentence"].endswith("); policy *queue*.")
    assert found["reason"]["blocking"]["id"] == str(first["id"])
    assert found["reason"]["actions"][0]["command"] == f"stepwell runs cancel {first['id']}"


@on_both
def test_a_server_that_is_behind_is_why_no_schedule_is_on_time(
    server: Server, asker: Asker, yearly: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time(monkeypatch, 366 * 86400)
    found = asker.schedule(yearly)
    assert found["reason"]["code"] == "ENGINE"
    assert found["sentence"].startswith("Scheduler behind by ")


@on_both
def test_a_paused_system_holds_up_its_schedules_too(
    server: Server, asker: Asker, yearly: UUID
) -> None:
    pause = Control(kind=ControlKind.PAUSE, key="server", reason="db upgrade", changed_by="anna")
    with server.db.store.transaction() as tx:
        tx.set_control(pause)
    found = asker.schedule(yearly)
    assert found["reason"]["code"] == "PAUSED_SYSTEM"
    assert found["sentence"].startswith("Paused by anna on ")
