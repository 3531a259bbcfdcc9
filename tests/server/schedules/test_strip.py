"""What the strip says beside marks and fires: clocks, backfills, slots, and what is too much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from tests.server.schedules.support import (
    NOON,
    Hands,
    end_runs,
    entry,
    release,
    scheduled,
    ticked,
)
from tests.server.support import Api, on_both

from stepwell.schedules import Cron, Every, Misfire, Overlap
from stepwell.server.app import Server
from stepwell.server.database.tables import runs
from stepwell.server.schedules.backfills.steps import move


@pytest.fixture
def client(api: Api) -> TestClient:
    return api("operator")


def strip(client: TestClient, begin: datetime, **length: float) -> dict[str, Any]:
    span = {"from": begin.isoformat(), "to": (begin + timedelta(**length)).isoformat()}
    answer = client.get("schedules/strip", params=span)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def took(server: Server, hands: Hands, minutes: float) -> None:
    """The workflow has run once, and took so long."""
    hands.move(hours=1)
    ticked(server)
    end_runs(server, minutes=minutes)


def test_a_change_of_the_clock_within_the_span_is_said(
    client: TestClient, server: Server, hands: Hands
) -> None:
    hands.at = datetime(2026, 3, 28, 12, tzinfo=UTC)
    scheduled(server, Cron("30 2 * * *", timezone="Europe/Oslo"))
    [lane] = strip(client, hands.at, days=7)["lanes"]
    [note] = lane["notes"]
    assert note["at"] == "2026-03-29T01:00:00Z"
    assert note["text"] == "On 29 Mar 2026 02:30 does not exist: runs once at 03:00 instead."
    [lane] = strip(client, hands.at + timedelta(days=2), days=7)["lanes"]
    assert lane["notes"] == []


def test_a_schedule_that_is_due_at_the_very_change_says_so(
    client: TestClient, server: Server, hands: Hands
) -> None:
    hands.at = datetime(2026, 3, 28, 12, tzinfo=UTC)
    one = scheduled(server, Cron("30 2 * * *", timezone="Europe/Oslo"))
    found = client.get(f"schedules/{one}").json()
    assert found["next_due"] == found["notes"][0]["at"] == "2026-03-29T01:00:00Z"


def test_a_lane_has_what_is_in_force(client: TestClient, server: Server) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.QUEUE, misfire=Misfire.ALL))
    client.post(f"schedules/{one}/pauses", json={"reason": "the database moves"})
    [lane] = strip(client, NOON, days=1)["lanes"]
    assert (lane["overlap"], lane["misfire"], lane["origin"]) == ("queue", "all", "added")
    assert (lane["pause_reason"], lane["next_due"]) == (
        "the database moves",
        "2026-05-01T13:00:00Z",
    )


@on_both
def test_instants_of_backfills_lie_beside_the_marks(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, Every(hours=1, misfire=Misfire.SKIP))
    span = {"begin": "2026-05-01T00:00:00Z", "end": "2026-05-01T03:00:00Z"}
    made = client.post(f"schedules/{one}/backfills", json={**span, "reason": "late"}).json()
    move(server.services, UUID(made["id"]))
    [lane] = strip(client, NOON - timedelta(days=1), days=2)["lanes"]
    outcomes = [(each["due_at"][11:13], each["outcome"]) for each in lane["made_up"]]
    assert outcomes == [("00", "waiting"), ("01", "planned"), ("02", "planned")]
    assert lane["past"] == [], "the ledger's own chain is as it was"
    [lane] = strip(client, NOON, days=1)["lanes"]
    assert lane["made_up"] == []


@on_both
def test_who_would_wait_for_a_slot_is_said_before(
    client: TestClient, server: Server, hands: Hands
) -> None:
    release(server, entry("nightly", pool="etl-db"))
    for number in range(4):
        scheduled(server, Cron("0 * * * *", overlap=Overlap.ALLOW), name=f"n{number}")
    client.post("run-limits", json={"kind": "pool", "name": "etl-db", "slots": 2})
    took(server, hands, minutes=10)
    found = strip(client, NOON, hours=3)
    [busy] = found["busy"]
    assert (busy["begin"], busy["due"], busy["slots"]) == ("2026-05-01T14:00:00Z", 4, 2)
    assert (busy["wait"], busy["end"]) == (600.0, "2026-05-01T14:10:00Z")
    assert found["hot"][0] == (
        "2026-05-01 14:00 to 14:10 UTC: 4 runs for 2 slots of the pool etl-db; "
        "the last waits 10 min."
    )
    [limit] = found["limits"]
    assert (limit["kind"], limit["name"], limit["slots"]) == ("pool", "etl-db", 2)
    at = [one["begin"][11:16] for one in found["load"]]
    assert limit["runs"][at.index("14:00")] == pytest.approx(4 * 600 / 900, abs=0.01)


@on_both
def test_what_went_on_is_told_by_pool_whether_it_was_short_or_long_or_goes_on(
    client: TestClient, server: Server, hands: Hands
) -> None:
    release(server, entry("nightly", pool="etl-db"), entry("other"))
    client.post("run-limits", json={"kind": "pool", "name": "etl-db", "slots": 2})
    scheduled(server, Every(hours=1, overlap=Overlap.ALLOW))
    scheduled(server, Every(hours=1, overlap=Overlap.ALLOW), workflow="other")
    for minutes in (6, 20, None):
        begun = hands.move(hours=1)
        ticked(server)
        end = None if minutes is None else begun + timedelta(minutes=minutes)
        times = {"created_at": begun, "started_at": begun, "finished_at": end}
        with server.db.write() as conn:
            conn.execute(update(runs).where(runs.c.due_at == begun).values(**times))
    hands.move(minutes=30)
    found = strip(client, NOON, hours=4)
    [limit] = found["limits"]
    cells = {one["begin"][11:16]: place for place, one in enumerate(found["load"])}
    shares = {"13:00": 0.4, "13:15": 0, "14:00": 1, "14:15": 1 / 3, "14:30": 0, "15:15": 1}
    for at, share in shares.items():
        assert limit["runs"][cells[at]] == pytest.approx(share, abs=0.002), at
        assert found["load"][cells[at]]["runs"] == pytest.approx(2 * share, abs=0.002), at
    assert [found["load"][cells[at]]["begins"] for at in ("13:00", "13:15", "14:00")] == [2, 0, 2]


def test_where_nobody_waits_the_busiest_window_is_named(
    client: TestClient, server: Server, hands: Hands
) -> None:
    for minute in (0, 5):
        anchor = NOON + timedelta(minutes=minute)
        scheduled(server, Every(hours=1, anchor=anchor, overlap=Overlap.ALLOW))
    took(server, hands, minutes=15)
    [busy, *_] = strip(client, NOON, hours=3)["busy"]
    assert (busy["name"], busy["wait"], busy["due"]) == (None, 0, 2)
    assert busy["text"].endswith("runs at once.")


@pytest.mark.parametrize(("days", "seconds"), [(2, 900), (21, 3600), (90, 6 * 3600)])
def test_the_load_of_a_longer_span_has_longer_cells(
    client: TestClient, server: Server, hands: Hands, days: int, seconds: int
) -> None:
    scheduled(server, Every(days=1))
    hands.move(hours=12)
    ticked(server)
    end_runs(server, minutes=15)
    found = strip(client, NOON, days=days)
    assert found["load_seconds"] == seconds
    assert len(found["load"]) == days * 24 * 3600 // seconds + 1
    assert sum(one["begins"] for one in found["load"]) in (days - 1, days)
    assert max(one["runs"] for one in found["load"]) == 1, "of the busiest quarter of an hour"
