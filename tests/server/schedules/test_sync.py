"""Schedules follow releases; overridden ones stay and the difference is reported (R31, R37)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.server.schedules.support import (
    GROUP,
    NOON,
    Hands,
    entry,
    faults,
    lines,
    release,
    scheduled,
    synced,
    ticked,
)
from tests.server.support import on_both

from stepwell.schedules import Cron, Every
from stepwell.server.app import Server
from stepwell.server.database.tables import audit, ledger, schedules
from stepwell.server.schedules import service
from stepwell.server.schedules.records import NewSchedule, ScheduleChange
from stepwell.server.settings import Settings

DAILY = Cron("30 7 * * *", "Europe/Oslo")
HOURLY = Every(hours=1)


def rows(server: Server) -> dict[tuple[str, str], Any]:
    with server.db.read() as conn:
        found = conn.execute(select(schedules)).mappings().all()
    return {(row["workflow"], row["name"]): row for row in found}


def follow(server: Server, *entries: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    """Release these workflows, and let the schedules follow: (verb, workflow) of each change."""
    return [(one.verb, one.workflow) for one in synced(server, release(server, *entries, **more))]


def override(server: Server, schedule_id: UUID, spec: Any) -> None:
    asked = ScheduleChange(spec=spec.as_json(), reason="the source is wrong")
    with server.db.write() as conn:
        service.change(conn, server.services, schedule_id, asked, by="ada")


def test_the_first_release_creates_schedules_that_are_due_from_now_on(server: Server) -> None:
    assert follow(server, entry("nightly", DAILY.as_json()), entry("manual")) == [
        ("created", "nightly")
    ]
    [row] = rows(server).values()
    assert row["next_due"] == DAILY.next_after(NOON)
    assert (row["origin"], row["name"], row["version"]) == ("source", "default", 1)
    assert faults(server, row["id"]) == []


def test_the_same_release_again_changes_nothing(server: Server) -> None:
    follow(server, entry("nightly", DAILY.as_json()))
    assert follow(server, entry("nightly", DAILY.as_json())) == []


def test_a_change_in_the_source_is_followed_and_the_chain_goes_on(
    server: Server, hands: Hands
) -> None:
    follow(server, entry("nightly", HOURLY.as_json()))
    hands.move(hours=1)
    ticked(server)
    hands.move(minutes=10)
    assert follow(server, entry("nightly", DAILY.as_json())) == [("updated", "nightly")]
    [row] = rows(server).values()
    assert (row["version"], row["next_due"]) == (2, DAILY.next_after(hands.now()))
    hands.move(days=1)
    ticked(server)
    assert lines(server, row["id"]) == [("ran", None, 1), ("skipped", "overlap", 1)]
    assert faults(server, row["id"]) == []


def test_what_was_due_before_the_release_is_settled_by_the_rules_from_before(
    server: Server, hands: Hands
) -> None:
    follow(server, entry("nightly", HOURLY.as_json()))
    hands.move(hours=1, seconds=5)
    follow(server, entry("nightly", DAILY.as_json()))
    [row] = rows(server).values()
    assert lines(server, row["id"]) == [("ran", None, 1)]
    with server.db.read() as conn:
        query = select(ledger.c.schedule_version).where(ledger.c.fate == "ran")
        assert conn.execute(query).scalar_one() == 1


def test_what_is_late_within_the_grace_of_the_setting_runs_also_at_a_release(
    settings: Settings, hands: Hands
) -> None:
    """The tick and a release judge by the same rules."""
    with Server(replace(settings, schedule_grace=3600.0), launchers={}, clock=hands) as server:
        server.db.migrate()
        follow(server, entry("nightly", {**HOURLY.as_json(), "misfire": "skip"}))
        hands.move(hours=1, minutes=5)
        follow(server, entry("nightly", DAILY.as_json()))
        [row] = rows(server).values()
        assert lines(server, row["id"]) == [("ran", None, 1)]


def test_an_overridden_schedule_stays_and_the_difference_is_reported(server: Server) -> None:
    follow(server, entry("nightly", DAILY.as_json()))
    [row] = rows(server).values()
    override(server, row["id"], HOURLY)
    [change] = synced(server, release(server, entry("nightly", DAILY.as_json())))
    assert (change.verb, change.source, change.in_force) == (
        "kept",
        DAILY.as_json(),
        HOURLY.as_json(),
    )
    [row] = rows(server).values()
    assert (row["origin"], row["spec"]) == ("overridden", HOURLY.as_json())


def test_an_override_that_the_source_has_taken_up_is_no_difference(server: Server) -> None:
    follow(server, entry("nightly", DAILY.as_json()))
    [row] = rows(server).values()
    override(server, row["id"], HOURLY)
    assert follow(server, entry("nightly", HOURLY.as_json())) == []


def test_schedules_of_a_removed_workflow_are_out_of_force_and_come_back_with_it(
    server: Server, hands: Hands
) -> None:
    follow(server, entry("nightly", HOURLY.as_json()), entry("other"))
    added = NewSchedule(group=GROUP, workflow="nightly", name="mine", spec=HOURLY.as_json())
    with server.db.write() as conn:
        service.add(conn, server.services, added, by="ada")
    assert sorted(follow(server, entry("other"))) == [("deactivated", "nightly")] * 2
    hands.move(hours=3)
    ticked(server)
    for row in rows(server).values():
        assert (row["active"], row["next_due"]) == (False, None)
        assert lines(server, row["id"]) == []
    assert follow(server, entry("nightly", HOURLY.as_json())) == [("reactivated", "nightly")] * 2
    hands.move(hours=1)
    ticked(server)
    for row in rows(server).values():
        assert lines(server, row["id"]) == [("ran", None, 1)]
        assert faults(server, row["id"]) == []


def test_a_schedule_that_the_source_drops_is_out_of_force(server: Server) -> None:
    follow(server, entry("nightly", HOURLY.as_json()))
    assert follow(server, entry("nightly")) == [("deactivated", "nightly")]


def test_a_renamed_workflow_takes_its_schedules_along(server: Server, hands: Hands) -> None:
    follow(server, entry("nightly", HOURLY.as_json()))
    [row] = rows(server).values()
    hands.move(hours=1)
    ticked(server)
    with server.db.write() as conn:
        service.pause(conn, server.services, row["id"], "wait", by="ada")
    changes = follow(server, entry("by-night", HOURLY.as_json()), renamed={"by-night": "nightly"})
    assert changes == [("moved", "by-night")]
    [moved] = rows(server).values()
    assert (moved["id"], moved["workflow"], moved["pause_reason"]) == (
        row["id"],
        "by-night",
        "wait",
    )
    assert faults(server, row["id"]) == []


@on_both
@pytest.mark.parametrize("gone", ["dropped", "removed"])
def test_a_schedule_of_before_gives_way_to_the_one_of_a_workflow_that_takes_its_name(
    server: Server, hands: Hands, gone: str
) -> None:
    """What was paused a year ago does not keep the workflow of today from running."""
    follow(server, entry("report", HOURLY.as_json()), entry("new-report", HOURLY.as_json()))
    for workflow in ("report", "new-report"):
        added = NewSchedule(group=GROUP, workflow=workflow, name="mine", spec=HOURLY.as_json())
        with server.db.write() as conn:
            service.add(conn, server.services, added, by="ada")
    before = rows(server)
    with server.db.write() as conn:
        service.pause(conn, server.services, before["report", "default"]["id"], "old", by="ada")
        if gone == "removed":
            old = before["report", "mine"]["id"]
            service.remove(conn, server.services, old, None, by="ada")
    follow(server, entry("new-report", HOURLY.as_json()))
    override(server, before["new-report", "default"]["id"], DAILY)
    changes = follow(server, entry("report", HOURLY.as_json()), renamed={"report": "new-report"})
    assert sorted(changes) == [("kept", "report"), ("moved", "report"), ("moved", "report")]
    after = rows(server)
    for name in ("default", "mine"):
        assert after["report", name]["id"] == before["new-report", name]["id"]
        assert after["report", name]["active"]
    assert (after["report", "default"]["spec"], after["report", "default"]["paused_at"]) == (
        DAILY.as_json(),
        None,
    )
    hands.move(hours=1)
    ticked(server)
    assert lines(server, after["report", "mine"]["id"]) == [("ran", None, 1)]
    assert all(faults(server, row["id"]) == [] for row in before.values())


def test_what_is_queued_is_let_go_with_its_workflow(server: Server, hands: Hands) -> None:
    follow(server, entry("nightly", {**HOURLY.as_json(), "overlap": "queue"}))
    [row] = rows(server).values()
    for _ in range(2):
        hands.move(hours=1)
        ticked(server)
    follow(server, entry("other"))
    assert lines(server, row["id"])[1] == ("skipped", "Its workflow is not in the release.", 1)


def test_schedules_of_other_groups_are_left_alone(server: Server) -> None:
    other = release(server, entry("nightly", HOURLY.as_json()))
    mine = scheduled(server, HOURLY)
    synced(server, other)
    assert rows(server)[("nightly", "default")]["active"]
    assert any(row["id"] == mine and row["active"] for row in rows(server).values())


def test_each_change_is_in_the_audit_log(server: Server) -> None:
    follow(server, entry("nightly", HOURLY.as_json()))
    with server.db.read() as conn:
        [row] = conn.execute(select(audit).where(audit.c.action == "schedule.created")).mappings()
    assert (row["actor"], row["target"]) == ("the test", "weather/nightly/default")
