"""Backfills: what is made up for, at which pace, and how it is accounted for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.schedules.support import (
    NOON,
    Hands,
    end_runs,
    faults,
    lines,
    run_rows,
    scheduled,
    ticked,
)
from tests.server.support import Api, on_both, problem

from stepwell.outcome import Done
from stepwell.schedules import Every, Misfire, Overlap
from stepwell.server.app import Server
from stepwell.server.schedules.backfills.steps import move

DAY = {
    "begin": "2026-04-30T00:00:00Z",
    "end": "2026-04-30T12:00:00Z",
    "reason": "the feed was late",
}


@pytest.fixture
def client(api: Api) -> TestClient:
    return api("operator")


@pytest.fixture
def hourly(server: Server) -> UUID:
    return scheduled(server, Every(hours=1, misfire=Misfire.SKIP))


def begun(client: TestClient, schedule_id: UUID, **more: Any) -> dict[str, Any]:
    answer = client.post(f"schedules/{schedule_id}/backfills", json={**DAY, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_preview_counts_and_changes_nothing(
    client: TestClient, server: Server, hourly: UUID
) -> None:
    body = {**DAY, "concurrency": 3, "order": "newest-first"}
    found = client.post(f"schedules/{hourly}/backfill-previews", json=body).json()
    assert (found["instants"], found["sample"][0]) == (12, "2026-04-30T11:00:00Z")
    assert found["text"] == "12 instants would run, 3 at once, newest first."
    assert client.get("backfills").json()["items"] == []


@on_both
def test_it_runs_so_many_at_once_in_turn_and_accounts_for_each(
    client: TestClient, server: Server, hands: Hands, hourly: UUID
) -> None:
    made = begun(client, hourly, concurrency=5)
    sizes = []
    while not isinstance(move(server.services, UUID(made["id"])), Done):
        active = [row for row in run_rows(server, hourly) if row["state"] == "waiting"]
        sizes.append(len(active))
        end_runs(server)
    assert sizes == [5, 5, 2]
    shown = client.get(f"backfills/{made['id']}").json()
    assert (shown["state"], shown["counts"]) == ("done", {"ran": 12})
    assert [row["trigger"] for row in run_rows(server, hourly)] == ["backfill"] * 12
    path = f"backfills/{made['id']}/instants"
    instants = client.get(path, params={"limit": 5}).json()
    assert [one["fate"] for one in instants["items"]] == ["ran"] * 5
    assert instants["next"]


def test_it_leaves_out_what_ran_and_what_a_calendar_excludes(
    client: TestClient, server: Server, hands: Hands
) -> None:
    client.post("calendars", json={"name": "shop", "days": {"2026-04-29": "closed"}})
    one = scheduled(server, Every(hours=12, exclude=("shop",)))
    hands.move(hours=12)
    ticked(server)
    body = {**DAY, "begin": "2026-04-29T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
    found = client.post(f"schedules/{one}/backfill-previews", json=body).json()
    # 29th: two are excluded; 30th: two; 1st: one. Midnight of the 2nd has a run, and is no part.
    assert (found["instants"], found["excluded"], found["left_out"]) == (4, 2, 0)
    hands.move(hours=1)
    body["end"] = "2026-05-02T00:30:00Z"
    found = client.post(f"schedules/{one}/backfill-previews", json=body).json()
    assert (found["instants"], found["left_out"]) == (4, 1)


@on_both
def test_two_who_make_up_for_one_outage_run_each_instant_once(
    client: TestClient, server: Server, hourly: UUID
) -> None:
    """What the first one has planned had no run yet, so the second one ran it too."""
    first = begun(client, hourly)
    move(server.services, UUID(first["id"]))
    again = client.post(f"schedules/{hourly}/backfills", json=DAY)
    problem(again, 409, "backfill-empty")
    cancelled = client.post(f"backfills/{first['id']}/cancellations", json={"reason": "too slow"})
    assert cancelled.status_code < 300, cancelled.text
    assert begun(client, hourly)["instants"] == 11, "all but the one that runs"


@on_both
def test_what_waits_for_the_run_before_or_for_the_tick_is_no_part_of_a_backfill(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.QUEUE))
    hands.move(hours=1)
    ticked(server)
    hands.move(hours=1)
    ticked(server)
    assert [str(line[0]) for line in lines(server, one)][-2:] == ["ran", "queued"]
    hands.move(hours=1)
    hands.move(seconds=30)
    body = {**DAY, "begin": "2026-05-01T13:00:00Z", "end": "2026-05-01T15:00:30Z"}
    problem(client.post(f"schedules/{one}/backfills", json=body), 409, "backfill-empty")


def test_the_pace_is_bounded(
    client: TestClient, server: Server, hands: Hands, hourly: UUID
) -> None:
    made = UUID(begun(client, hourly, concurrency=100, per_minute=2)["id"])
    counts = []
    for _ in range(5):
        move(server.services, made)
        counts.append(len(run_rows(server, hourly)))
        hands.move(seconds=15)
    assert counts == [1, 1, 2, 2, 3]


def test_its_runs_do_not_stand_in_the_way_of_what_is_due(
    client: TestClient, server: Server, hands: Hands, hourly: UUID
) -> None:
    made = UUID(begun(client, hourly)["id"])
    move(server.services, made)
    hands.move(hours=1)
    ticked(server)
    assert lines(server, hourly) == [("ran", None, 1)]


def test_cancelling_skips_what_is_planned_and_on_request_ends_what_runs(
    client: TestClient, server: Server, hourly: UUID
) -> None:
    made = begun(client, hourly, concurrency=2)
    move(server.services, UUID(made["id"]))
    body = {"runs": True, "reason": "enough"}
    shown = client.post(f"backfills/{made['id']}/cancellations", json=body).json()
    assert (shown["state"], shown["counts"]) == ("cancelled", {"ran": 2, "skipped": 10})
    assert {row["state"] for row in run_rows(server, hourly)} == {"cancelling"}
    again = client.post(f"backfills/{made['id']}/cancellations", json=body)
    problem(again, 409, "backfill-ended")
    assert isinstance(move(server.services, UUID(made["id"])), Done)


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"reason": None}, 422, "reason-missing"),
        ({"end": "2026-04-29T00:00:00Z"}, 422, "backfill-span-invalid"),
        ({"end": "2026-05-03T00:00:00Z"}, 422, "backfill-span-invalid"),
        ({"begin": "2020-01-01T00:00:00Z"}, 422, "backfill-too-large"),
        ({"begin": "2026-04-30T11:10:00Z", "end": "2026-04-30T11:20:00Z"}, 409, "backfill-empty"),
        ({"parameters": {"limit": "many"}}, 422, "parameters-invalid"),
    ],
)
def test_what_cannot_be_backfilled_is_refused(
    client: TestClient, hourly: UUID, more: dict[str, Any], status: int, code: str
) -> None:
    problem(client.post(f"schedules/{hourly}/backfills", json={**DAY, **more}), status, code)


@on_both
def test_a_missed_fire_is_run_by_hand_once(
    client: TestClient, server: Server, hands: Hands, hourly: UUID
) -> None:
    hands.move(hours=3.5)
    ticked(server)
    assert lines(server, hourly) == [("missed", "down", 3)]
    due = (NOON + timedelta(hours=2)).isoformat()
    made = client.post(f"schedules/{hourly}/fires", json={"due_at": due}).json()
    [run] = run_rows(server, hourly)
    assert (str(run["id"]), run["due_at"]) == (made["run_id"], NOON + timedelta(hours=2))
    [line] = [one for one in ledger(client, hourly) if one["fate"] == "missed"]
    assert (line["count"], line["backfilled"]) == (3, 1)
    assert line["backfill_run_id"] == made["run_id"]
    again = client.post(f"schedules/{hourly}/fires", json={"due_at": due})
    problem(again, 409, "fire-ran")
    other = client.post(f"schedules/{hourly}/fires", json={"due_at": NOON.isoformat()})
    problem(other, 404, "fire-unknown")
    assert faults(server, hourly) == [], "the chain is as it was"
    assert client.get(f"schedules/{hourly}/audit").json()["backfilled"] == 1


def ledger(client: TestClient, schedule_id: UUID) -> list[dict[str, Any]]:
    return list(client.get(f"schedules/{schedule_id}/ledger").json()["items"])
