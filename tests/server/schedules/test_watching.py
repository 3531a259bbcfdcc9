"""What is seen over all schedules: alerts, downtimes, the audit of all, the strip."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from starlette.testclient import TestClient
from tests.server.schedules.support import (
    NOON,
    Hands,
    end_runs,
    faults,
    scheduled,
    ticked,
)
from tests.server.support import Api, on_both, problem

from stepwell.errors import StoreUnavailable
from stepwell.outcome import Rerun
from stepwell.schedules import Cron, Every, Misfire, Overlap
from stepwell.server.app import Server
from stepwell.server.database.tables import ledger, occasions, runs
from stepwell.server.schedules import service
from stepwell.server.schedules.alerts import steps as watching
from stepwell.server.schedules.audits import service as audits
from stepwell.server.schedules.definitions.changing import books_of
from stepwell.server.schedules.kept import KINDS
from stepwell.server.schedules.records import ScheduleChange
from stepwell.server.schedules.steps import tick

HOURLY = Every(hours=1, overlap=Overlap.ALLOW)


@pytest.fixture
def client(api: Api) -> TestClient:
    return api("operator")


def items(client: TestClient, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


# -- alerts ------------------------------------------------------------------------


@on_both
def test_a_late_tick_is_told_once_while_nobody_ticks_and_over_when_somebody_does(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, HOURLY, late_after=120)
    hands.move(hours=1, seconds=119)
    assert watching.look(server.services) == 0
    hands.move(seconds=2)
    assert (watching.look(server.services), watching.look(server.services)) == (1, 0)
    [alert] = items(client, "schedules/alerts", open=True)
    assert (alert["kind"], alert["schedule_id"]) == ("late", str(one))
    assert alert["text"] == "weather/nightly was due at 2026-05-01 13:00 UTC, and is late by 2 min."
    ticked(server, books_of(server.services))
    assert items(client, "schedules/alerts", open=True) == []
    assert len(items(client, "schedules/alerts")) == 1


def test_a_late_tick_is_told_by_the_tick_itself_where_nobody_watched(
    client: TestClient, server: Server, hands: Hands
) -> None:
    scheduled(server, HOURLY)
    hands.move(hours=4)
    ticked(server, books_of(server.services))
    [alert] = items(client, "schedules/alerts")
    assert (alert["since"], alert["over_at"]) == ("2026-05-01T13:00:00Z", "2026-05-01T16:00:00Z")


def test_who_asks_for_labels_hears_of_what_is_late_and_of_what_takes_too_long(
    server: Server, hands: Hands
) -> None:
    scheduled(server, HOURLY, labels={"team": "sea"}, too_long_after=600)
    hands.move(hours=1)
    ticked(server)
    with server.db.write() as conn:
        conn.execute(update(runs).values(state="running", started_at=hands.at))
    hands.move(hours=2)
    watching.look(server.services)
    with server.db.read() as conn:
        told = conn.execute(select(occasions.c.kind, occasions.c.labels)).all()
    assert sorted(map(tuple, told)) == [("late", {"team": "sea"}), ("too-long", {"team": "sea"})]


def test_a_paused_schedule_is_never_late(client: TestClient, server: Server, hands: Hands) -> None:
    one = scheduled(server, HOURLY)
    client.post(f"schedules/{one}/pauses", json={})
    hands.move(hours=4)
    assert watching.look(server.services) == 0
    ticked(server, books_of(server.services))
    assert items(client, "schedules/alerts") == []


@on_both
def test_a_run_that_takes_too_long_is_told_once_and_over_with_its_end(
    client: TestClient, server: Server, hands: Hands
) -> None:
    scheduled(server, HOURLY, too_long_after=600)
    hands.move(hours=1)
    ticked(server)
    with server.db.write() as conn:
        conn.execute(update(runs).values(state="running", started_at=hands.at))
    hands.move(seconds=600)
    assert watching.look(server.services) == 0
    hands.move(seconds=1)
    assert (watching.look(server.services), watching.look(server.services)) == (1, 0)
    [alert] = items(client, "schedules/alerts", kind="too-long")
    assert "runs for 10 min: longer than its schedule's limit of 10 min" in alert["text"]
    end_runs(server, minutes=10)
    watching.look(server.services)
    assert items(client, "schedules/alerts", open=True) == []


# -- downtimes ---------------------------------------------------------------------


@on_both
def test_a_downtime_shows_what_was_missed_and_what_the_policy_did(
    client: TestClient, server: Server, hands: Hands
) -> None:
    some = (Misfire.LATEST, Misfire.ALL, Misfire.SKIP)
    for misfire in some:
        scheduled(
            server, Every(hours=1, misfire=misfire, overlap=Overlap.ALLOW), name=misfire.value
        )
    state = state_after(tick(server.services, books_of(server.services)))
    hands.move(hours=3.5)
    state = state_after(tick(server.services, books_of(server.services), state))
    [downtime] = items(client, "schedules/downtimes")
    assert downtime["ended_at"] == "2026-05-01T15:30:00Z"
    told = {one["misfire"]: (one["missed"], one["ran"]) for one in downtime["schedules"]}
    assert told == {"latest": (2, 1), "all": (0, 3), "skip": (3, 0)}
    hands.move(seconds=59)
    tick(server.services, books_of(server.services), state)
    assert len(items(client, "schedules/downtimes")) == 1


@on_both
def test_what_a_downtime_missed_is_run_after_all_once(
    client: TestClient, server: Server, hands: Hands
) -> None:
    skip = scheduled(server, Every(hours=1, misfire=Misfire.SKIP, overlap=Overlap.ALLOW))
    scheduled(server, HOURLY, name="latest")
    downtime = away(client, server, hands)
    assert downtime["answer"] is None
    path, body = f"schedules/downtimes/{downtime['id']}/answers", {"reason": "it was the power"}
    made = client.post(path, json={"answer": "each", "schedules": [str(skip)], **body}).json()
    [backfill] = made["backfills"]
    found = client.get(f"backfills/{backfill}").json()
    assert (found["schedule_id"], found["instants"]) == (str(skip), 3)
    [told] = items(client, "schedules/downtimes")
    assert (told["answer"], told["answer_reason"]) == ("each", "it was the power")
    again = client.post(path, json={"answer": "leave", **body})
    problem(again, 409, "downtime-answered")
    assert faults(server, skip) == [], "the ledger keeps saying that it was missed"


def test_the_latest_that_ran_already_is_not_run_again(
    client: TestClient, server: Server, hands: Hands
) -> None:
    skip = scheduled(server, Every(hours=1, misfire=Misfire.SKIP, overlap=Overlap.ALLOW))
    scheduled(server, HOURLY, name="latest")
    downtime = away(client, server, hands)
    path = f"schedules/downtimes/{downtime['id']}/answers"
    made = client.post(path, json={"answer": "latest", "reason": "once is enough"}).json()
    [backfill] = made["backfills"]
    found = client.get(f"backfills/{backfill}").json()
    assert (found["schedule_id"], found["begin"]) == (str(skip), "2026-05-01T15:00:00Z")


def test_a_schedule_that_cannot_catch_up_is_named_and_the_others_go_on(
    client: TestClient, server: Server, hands: Hands
) -> None:
    every = Every(hours=1, misfire=Misfire.SKIP)
    gone, kept = (scheduled(server, every, name=name) for name in ("gone", "kept"))
    downtime = away(client, server, hands)
    client.delete(f"schedules/{gone}", params={"reason": "not needed"})
    path = f"schedules/downtimes/{downtime['id']}/answers"
    made = client.post(path, json={"answer": "each", "reason": "power"}).json()
    assert [one["schedule_id"] for one in made["refused"]] == [str(gone)]
    [backfill] = made["backfills"]
    assert client.get(f"backfills/{backfill}").json()["schedule_id"] == str(kept)


def test_a_tick_that_fails_after_a_downtime_and_comes_again_notes_it_once(
    client: TestClient, server: Server, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the database that comes back slowly leaves a downtime for each try."""
    scheduled(server, HOURLY)
    books = books_of(server.services)
    state = state_after(tick(server.services, books))

    def lost(*_: Any) -> Any:
        raise StoreUnavailable("gone")

    hands.move(hours=3.5)
    with monkeypatch.context() as patched:
        patched.setattr("stepwell.server.schedules.steps.settle_batch", lost)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                tick(server.services, books, state)
            hands.move(seconds=5)
    tick(server.services, books, state)
    [downtime] = items(client, "schedules/downtimes")
    assert (downtime["began_at"], downtime["ended_at"]) == (
        "2026-05-01T12:01:00Z",
        "2026-05-01T15:30:00Z",
    )
    assert downtime["missed"] == 2


def away(client: TestClient, server: Server, hands: Hands) -> dict[str, Any]:
    """Nobody ticks for three and a half hours; the downtime that came of it."""
    state = state_after(tick(server.services, books_of(server.services)))
    hands.move(hours=3.5)
    tick(server.services, books_of(server.services), state)
    [downtime] = items(client, "schedules/downtimes")
    return downtime


def state_after(outcome: Any) -> Any:
    assert isinstance(outcome, Rerun)
    return outcome.state


# -- the audit of all --------------------------------------------------------------


@on_both
def test_the_audit_of_all_counts_due_and_accounted_of_any_span(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one, two = (
        scheduled(server, HOURLY),
        scheduled(server, Every(minutes=30, jitter=600), name="half"),
    )
    for _ in range(12):
        hands.move(minutes=30)
        ticked(server)
    whole = client.get("schedules/audit").json()
    assert whole["proven"], whole
    assert whole["due"] == whole["accounted"] == 6 + 12
    span = {"from": "2026-05-01T13:30:00Z", "to": "2026-05-01T15:30:00Z"}
    part = client.get("schedules/audit", params=span).json()
    assert (part["proven"], part["due"], part["accounted"]) == (True, 2 + 4, 2 + 4)
    with server.db.write() as conn:
        newest = ledger.c.first_due >= NOON + timedelta(hours=6)
        conn.execute(delete(ledger).where(ledger.c.schedule_id == one, newest))
    found = client.get("schedules/audit").json()
    assert not found["proven"]
    assert found["audits"][0]["schedule_id"] == str(one), "what is unproven comes first"
    assert found["audits"][1]["schedule_id"] == str(two)


def test_what_is_due_and_not_entered_is_open(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, HOURLY)
    hands.move(hours=2)
    found = client.get(f"schedules/{one}/audit").json()
    assert (found["proven"], found["due"], found["accounted"], found["open"]) == (False, 2, 0, 2)
    ticked(server)
    found = client.get(f"schedules/{one}/audit").json()
    assert (found["proven"], found["due"], found["accounted"]) == (True, 2, 2)


def test_a_change_of_the_schedule_is_counted_by_the_rules_from_before_and_after(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, HOURLY)
    hands.move(hours=2)
    ticked(server)
    client.patch(f"schedules/{one}", json={"spec": Every(minutes=10).as_json()})
    hands.move(hours=1)
    ticked(server)
    found = client.get(f"schedules/{one}/audit").json()
    assert (found["proven"], found["due"], found["accounted"]) == (True, 8, 8)
    assert found["advice"] == []


# -- the strip ---------------------------------------------------------------------


@on_both
def test_the_strip_has_marks_before_now_and_fires_after(
    client: TestClient, server: Server, hands: Hands
) -> None:
    spec = Cron("30 2 * * *", timezone="Europe/Oslo")
    one = scheduled(server, spec)
    hands.move(days=2, hours=1)
    ticked(server)
    end_runs(server, minutes=30)
    found = client.get("schedules/strip").json()
    [lane] = found["lanes"]
    assert lane["schedule_id"] == str(one)
    outcomes = [(mark["outcome"], mark["count"], mark["late"]) for mark in lane["past"]]
    assert outcomes == [("missed", 1, False), ("succeeded", 1, True)]
    assert (lane["past"][1]["duration"], lane["observed"]["p95"]) == (1800.0, 1800.0)
    assert len(lane["future"]) == 7
    assert (lane["past_cells"], lane["future_cells"]) == ([], [])


@on_both
def test_above_200_instants_the_strip_counts_by_the_day_or_hour(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, Every(minutes=1, overlap=Overlap.ALLOW, misfire=Misfire.ALL))
    for _ in range(5):
        hands.move(minutes=50)
        ticked(server)
    end_runs(server, minutes=1)
    span = {"from": "2026-05-01T12:00:00Z", "to": "2026-05-02T12:00:00Z"}
    found = client.get("schedules/strip", params=span).json()
    [lane] = found["lanes"]
    assert (found["cells"], lane["past"], lane["future"]) == ("hour", [], [])
    assert [cell["count"] for cell in lane["past_cells"]] == [59, 60, 60, 60, 11]
    assert {cell["worst"] for cell in lane["past_cells"]} == {"succeeded"}
    assert sum(cell["count"] for cell in lane["future_cells"]) == 24 * 60 - 251
    assert str(one) == lane["schedule_id"]


def test_the_load_is_what_goes_on_at_once_before_and_after_now(
    client: TestClient, server: Server, hands: Hands
) -> None:
    for minute in (0, 5):
        scheduled(server, Every(hours=1, anchor=NOON + timedelta(minutes=minute)))
    hands.move(hours=1, minutes=5)
    ticked(server)
    end_runs(server, minutes=10)
    hands.move(minutes=10)
    span = {"from": "2026-05-01T13:00:00Z", "to": "2026-05-01T15:00:00Z"}
    load = client.get("schedules/strip", params=span).json()["load"]
    at = {one["begin"][11:16]: one for one in load}
    assert at["14:00"]["begins"] == 2
    assert at["14:00"]["runs"] == pytest.approx(1200 / 900, abs=0.01)
    assert at["14:00"]["expected"]


def test_a_span_that_is_none_is_refused(client: TestClient) -> None:
    span = {"from": "2026-05-02T12:00:00Z", "to": "2026-05-01T12:00:00Z"}
    assert client.get("schedules/strip", params=span).status_code == 422


@on_both
def test_due_is_accounted_also_when_old_lines_were_folded(server: Server, hands: Hands) -> None:
    one = scheduled(server, Every(hours=1))
    (kind,) = KINDS
    for hour in range(10):
        hands.move(hours=1)
        ticked(server)
        end_runs(server)
        if hour == 4:
            body = ScheduleChange(spec=Every(minutes=20).as_json(), reason="more often")
            with server.db.write() as conn:
                service.change(conn, server.services, one, body, by="ada")
    for minutes in (400, 200, 5):  # within the first rules, within the second ones, all
        assert kind.sweep(server.services, hands.now() - timedelta(minutes=minutes), 100)
        with server.db.read() as conn:
            audit = audits.audited(conn, server.services, one, None, None)
        assert (audit.proven, audit.due, audit.accounted) == (True, 20, 20)
        assert (audit.advice, audit.breaks) == ([], [])
    assert audit.folded >= 18
