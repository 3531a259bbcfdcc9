"""What keeps instants from running: calendars, pauses that end, skips; and plans of a group."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.schedules.support import (
    NOON,
    Hands,
    end_runs,
    entry,
    faults,
    lines,
    release,
    scheduled,
    synced,
    ticked,
)
from tests.server.support import Api, on_both, problem

from stepwell.schedules import Cron, Every, Misfire, Overlap
from stepwell.server.app import Server

ALWAYS = {"overlap": Overlap.ALLOW, "misfire": Misfire.ALL}
HOURLY = Every(hours=1, **ALWAYS)  # type: ignore[arg-type]


@pytest.fixture
def client(api: Api) -> TestClient:
    return api("operator")


def hours(server: Server, hands: Hands, count: int) -> None:
    """So many hours pass, each with a tick."""
    for _ in range(count):
        hands.move(hours=1)
        ticked(server)


# -- calendars ---------------------------------------------------------------------


@on_both
def test_an_instant_on_a_day_of_a_calendar_is_entered_as_skipped(
    client: TestClient, server: Server, hands: Hands
) -> None:
    days = {"2026-05-02": "stocktaking"}
    assert client.post("calendars", json={"name": "shop", "days": days}).status_code == 201
    spec = Cron("0 */6 * * *", exclude=("shop",), **ALWAYS)  # type: ignore[arg-type]
    one = scheduled(server, spec)
    shown = client.get(f"schedules/{one}").json()["fires"]
    assert [fire["excluded"] for fire in shown[:3]] == [None, "stocktaking", "stocktaking"]
    hours(server, hands, 41)
    assert lines(server, one) == [("ran", None, 1), ("skipped", "calendar", 4), ("ran", None, 1)]
    assert faults(server, one) == []


def test_a_calendar_can_be_changed_and_schedules_follow(
    client: TestClient, server: Server, hands: Hands
) -> None:
    client.post("calendars", json={"name": "shop", "days": {"2026-05-01": ""}})
    one = scheduled(server, Every(hours=1, exclude=("shop",), **ALWAYS))  # type: ignore[arg-type]
    hours(server, hands, 1)
    body = {"remove": ["2026-05-01"], "add": {"2026-12-24": "eve"}, "reason": "open after all"}
    assert client.patch("calendars/shop", json=body).json()["days"] == {"2026-12-24": "eve"}
    hours(server, hands, 1)
    assert lines(server, one) == [("skipped", "calendar", 1), ("ran", None, 1)]
    used = client.get("calendars/shop").json()["used_by"]
    assert len(used) == 1
    problem(client.delete("calendars/shop"), 409, "calendar-in-use")
    [told] = [one for one in client.get("calendars").json()["items"] if one["name"] == "shop"]
    assert told["changed_by"].startswith("operator")


def test_a_schedule_whose_calendar_is_missing_is_refused(client: TestClient) -> None:
    spec = {"kind": "interval", "seconds": 3600, "exclude": ["nowhere"]}
    new = {"group": "weather", "workflow": "nightly", "name": "extra", "spec": spec}
    problem(client.post("schedules", json=new), 422, "calendar-unknown")
    problem(client.post("schedule-previews", json={"spec": spec}), 422, "calendar-unknown")


def test_the_latest_that_is_wanted_runs_after_a_downtime(server: Server, hands: Hands) -> None:
    """Excluded instants behind it do not count: else Friday's would be missed for Saturday's."""
    off = ("holidays:NO",)
    spec = Cron("0 18 * * *", exclude=off, timezone="Europe/Oslo", overlap=Overlap.ALLOW)
    one = scheduled(server, spec)
    hands.at = NOON.replace(month=5, day=16)
    ticked(server)
    hands.at = NOON.replace(month=5, day=18)
    ticked(server)
    assert lines(server, one)[-2:] == [("ran", "late", 1), ("skipped", "calendar", 1)]


# -- pauses with an end ------------------------------------------------------------


@on_both
def test_a_pause_ends_by_itself_and_each_instant_keeps_its_fate(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, HOURLY)
    until = (NOON + timedelta(hours=2, minutes=30)).isoformat()
    body = {"reason": "moving house", "until": until}
    assert client.post(f"schedules/{one}/pauses", json=body).json()["paused_until"]
    hands.move(hours=4)  # nobody ticked meanwhile
    ticked(server)
    assert lines(server, one) == [
        ("skipped", "paused", 2),
        ("ran", "late", 1),
        ("ran", None, 1),
    ]
    shown = client.get(f"schedules/{one}").json()
    assert (shown["paused_at"], shown["paused_until"]) == (None, None)
    assert faults(server, one) == []


@on_both
def test_the_next_fires_say_which_of_them_the_pause_takes(
    client: TestClient, server: Server
) -> None:
    """And what somebody asked to skip, for that stays when the pause is over."""
    one = scheduled(server, HOURLY)
    client.post(f"schedules/{one}/skips", json={"count": 1, "reason": "a holiday"})
    until = (NOON + timedelta(hours=2, minutes=30)).isoformat()
    body = {"reason": "moving house", "until": until}
    ends = client.post(f"schedules/{one}/pauses", json=body).json()["fires"]
    said = [(fire["skipped"] or "runs").rpartition(": ")[2] for fire in ends[:3]]
    assert said == ["a holiday", "paused", "runs"]
    client.delete(f"schedules/{one}/pauses")
    endless = client.post(f"schedules/{one}/pauses", json={"reason": "for good"}).json()["fires"]
    assert {fire["skipped"] for fire in endless[1:]} == {"paused"}


@on_both
def test_schedules_are_found_by_what_became_of_their_last_fire(
    client: TestClient, server: Server, hands: Hands
) -> None:
    runs, skips = scheduled(server, HOURLY), scheduled(server, HOURLY, name="skips")
    for one in (runs, skips):
        client.post(f"schedules/{one}/skips", json={"count": 1 if one == runs else 2})
    hands.move(hours=1)
    ticked(server)
    hands.move(hours=1)
    ticked(server)

    def found(last: str) -> list[str]:
        answer = client.get("schedules", params={"last": last})
        return [one["id"] for one in answer.json()["items"]]

    assert (found("skipped"), found("ran"), found("missed")) == ([str(skips)], [str(runs)], [])


def test_the_end_of_a_pause_is_in_the_audit_log_even_where_nothing_is_due(
    client: TestClient, api: Api, server: Server, hands: Hands
) -> None:
    one = scheduled(server, Every(days=30))
    until = (NOON + timedelta(hours=1)).isoformat()
    client.post(f"schedules/{one}/pauses", json={"until": until})
    hands.move(hours=1)
    ticked(server)
    assert client.get(f"schedules/{one}").json()["paused_at"] is None
    actions = [row["action"] for row in api("admin").get("audit").json()["items"]]
    assert "schedule.resume" in actions


def test_a_pause_that_is_over_is_refused(client: TestClient, server: Server) -> None:
    one = scheduled(server, HOURLY)
    answer = client.post(f"schedules/{one}/pauses", json={"until": NOON.isoformat()})
    problem(answer, 422, "pause-invalid")


# -- skips -------------------------------------------------------------------------


@on_both
def test_skipped_instants_are_entered_when_their_time_comes(
    client: TestClient, server: Server, hands: Hands
) -> None:
    one = scheduled(server, HOURLY)
    answer = client.post(f"schedules/{one}/skips", json={"count": 2, "reason": "upgrade"})
    assert [skip["due"][11:16] for skip in answer.json()["skips"]] == ["13:00", "14:00"]
    assert lines(server, one) == []
    hours(server, hands, 3)
    [skipped, ran] = lines(server, one)
    assert (skipped[0], skipped[2], ran) == ("skipped", 2, ("ran", None, 1))
    assert str(skipped[1]).endswith(": upgrade")
    assert client.get(f"schedules/{one}").json()["skips"] == []


def test_a_skip_can_be_taken_back(client: TestClient, server: Server, hands: Hands) -> None:
    one = scheduled(server, HOURLY)
    problem(client.delete(f"schedules/{one}/skips"), 409, "schedule-nothing-skipped")
    client.post(f"schedules/{one}/skips", json={})
    assert client.delete(f"schedules/{one}/skips").status_code == 200
    hours(server, hands, 1)
    assert lines(server, one) == [("ran", None, 1)]


# -- previews ----------------------------------------------------------------------


def test_a_preview_says_what_may_overlap_by_how_long_runs_took(
    client: TestClient, server: Server, hands: Hands
) -> None:
    scheduled(server, HOURLY)
    hours(server, hands, 1)
    end_runs(server, minutes=45)
    body = {
        "spec": {"kind": "interval", "seconds": 1800, "overlap": "skip"},
        "group": "weather",
        "workflow": "nightly",
        "count": 3,
    }
    found = client.post("schedule-previews", json=body).json()
    assert [fire["overlaps"] for fire in found["fires"]] == [False, True, True]
    assert found["observed"] == {"runs": 1, "p50": 2700.0, "p95": 2700.0}
    [said] = found["says"]
    assert said.startswith("Of these, 2 come while the run before may still go on (95 % of 1 runs")
    assert said.endswith("took up to 45 min): they will be skipped.")


def test_a_preview_has_the_jitter_that_the_schedule_will_have(client: TestClient) -> None:
    spec = {"kind": "interval", "seconds": 3600, "jitter": 1800}
    new = {"group": "weather", "workflow": "nightly", "name": "extra", "spec": spec}
    before = client.post("schedule-previews", json=new).json()
    added = client.post("schedules", json=new).json()
    assert before["fires"] == added["fires"]
    assert any(fire["jitter"] for fire in added["fires"])


def test_a_preview_has_notes_on_the_clock(client: TestClient) -> None:
    spec = {"kind": "cron", "expression": "30 2 * * *", "timezone": "Europe/Oslo"}
    found = client.post("schedule-previews", json={"spec": spec}).json()
    assert [one["at"] for one in found["notes"]] == [
        "2026-10-25T01:00:00Z",
        "2027-03-28T01:00:00Z",
    ]


# -- plans of a group (R31) --------------------------------------------------------


def test_a_plan_takes_a_subset_of_the_group_with_own_schedules_and_parameters(
    client: TestClient, server: Server
) -> None:
    daily = {"kind": "cron", "expression": "0 7 * * *"}
    synced(server, release(server, *(entry(name, daily) for name in ("nightly", "hourly", "odd"))))
    plan: dict[str, Any] = {
        "schedules": [
            {"workflow": "nightly", "spec": {**daily, "expression": "0 3 * * *"}},
            {"workflow": "hourly", "parameters": {"limit": 5}},
            {"workflow": "hourly", "name": "late", "spec": {"kind": "interval", "seconds": 7200}},
        ],
        "others": "pause",
        "reason": "as the shop wants it",
    }
    path = "groups/weather/schedule-plans"
    changes = client.post(path, json=plan).json()["changes"]
    done = [(one["workflow"], one["name"], one["verb"]) for one in changes]
    assert done == [
        ("nightly", "default", "changed"),
        ("hourly", "default", "changed"),
        ("hourly", "late", "added"),
        ("odd", "default", "paused"),
    ]
    assert client.post(path, json=plan).json()["changes"] == [], "it is so already"
    found = {(one["workflow"], one["name"]): one for one in client.get("schedules").json()["items"]}
    assert found["nightly", "default"]["origin"] == "overridden"
    assert found["hourly", "default"]["parameters"] == {"limit": 5}
    assert found["odd", "default"]["pause_reason"] == "as the shop wants it"


@pytest.mark.parametrize(
    ("schedules", "code"),
    [
        ([{"workflow": "nightly"}, {"workflow": "nightly"}], "plan-ambiguous"),
        ([{"workflow": "nightly", "name": "new"}], "plan-incomplete"),
        (
            [
                {"workflow": "nightly", "name": "one", "spec": HOURLY.as_json()},
                {"workflow": "nobody", "name": "two", "spec": HOURLY.as_json()},
            ],
            "workflow-not-released",
        ),
    ],
)
def test_a_plan_is_applied_as_a_whole_or_not_at_all(
    client: TestClient, schedules: list[dict[str, Any]], code: str
) -> None:
    answer = client.post("groups/weather/schedule-plans", json={"schedules": schedules})
    assert answer.json()["code"] == code, answer.text
    assert client.get("schedules").json()["items"] == []
