"""One cause is one message: first at once, then together, then that it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.server.notifications.conftest import Receiver, Subscribe
from tests.server.support import Api, drain, on_both

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import notification_threads, occasions
from stepwell.server.notifications import service, telling
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.step import StepQuery, StepStatus

Fail = Callable[..., None]
Told = Callable[[], list[Any]]


def succeed(server: Server, workflow: str = "nightly") -> list[str]:
    with server.db.write() as conn:
        return service.passed(
            conn,
            server.services,
            group="weather",
            workflow=workflow,
            run_id=new_id(),
            since=clock.now(),
        )


def later(server: Server, seconds: float) -> None:
    """As if a cause had been told so much earlier; its digest is due now."""
    with server.db.write() as conn:
        told = notification_threads.c.told_at
        for row in conn.execute(select(notification_threads)).mappings().all():
            then = row["told_at"] - timedelta(seconds=seconds)
            conn.execute(update(notification_threads).where(told.is_not(None)).values(told_at=then))
        tx = server.db.steps(conn)
        for step in tx.search(StepQuery(name=telling.DIGEST, status=StepStatus.READY, limit=9)):
            tx.activate(step.id, None, None)


@on_both
def test_37_failures_of_2_causes_are_2_messages(
    fail: Fail, told: Told, subscribe: Subscribe
) -> None:
    subscribe()
    fail(25)
    fail(12, fingerprint="def")
    found = told()
    assert sorted((one["cause"], one["more"]) for one in found) == [("abc", 0), ("def", 0)]


@on_both
def test_what_follows_is_counted_and_told_together(
    server: Server, fail: Fail, told: Told, subscribe: Subscribe
) -> None:
    subscribe(every=3600)
    fail()
    told()
    fail(13)
    assert told() == []
    later(server, 3600)
    (message,) = told()
    assert message["more"] == 13
    assert message["text"] == "13 more of the same cause. The last: It failed."
    later(server, 3600)
    assert told() == []


@on_both
def test_a_recovery_is_told_once_and_the_cause_is_new_again(
    server: Server, fail: Fail, told: Told, subscribe: Subscribe
) -> None:
    subscribe()
    fail(3)
    told()
    assert succeed(server) == ["abc"]
    assert succeed(server) == []
    (message,) = told()
    assert message["kind"] == "recovery"
    assert message["details"]["failures"] == 3
    fail()
    assert [one["kind"] for one in told()] == ["failure"]


def test_a_cause_of_two_workflows_has_recovered_when_both_succeed(
    server: Server, fail: Fail, told: Told, subscribe: Subscribe
) -> None:
    subscribe()
    fail()
    fail(workflow="hourly")
    told()
    succeed(server)
    assert told() == []
    succeed(server, "hourly")
    assert [one["kind"] for one in told()] == ["recovery"]


def test_a_success_that_began_before_the_failure_ends_nothing(server: Server, fail: Fail) -> None:
    began = clock.now()
    fail()
    with server.db.write() as conn:
        ended = service.passed(
            conn,
            server.services,
            group="weather",
            workflow="nightly",
            run_id=new_id(),
            since=began,
        )
    assert ended == []


@pytest.mark.parametrize(
    ("rule", "hears"),
    [
        ({"kinds": ["failure"]}, True),
        ({"kinds": ["late", "recovery"]}, False),
        ({"group": "weather"}, True),
        ({"group": "other"}, False),
        ({"group": "weather", "workflow": "nightly"}, True),
        ({"workflow": "hourly"}, False),
        ({"labels": {"team": "ops"}}, True),
        ({"labels": {"team": "ops", "tier": "1"}}, False),
    ],
)
def test_a_rule_chooses_by_kind_place_and_labels(
    fail: Fail, told: Told, subscribe: Subscribe, rule: dict[str, Any], hears: bool
) -> None:
    subscribe(**rule)
    fail(labels={"team": "ops"})
    assert bool(told()) == hears


def test_two_rules_for_one_target_are_one_message(
    fail: Fail, told: Told, subscribe: Subscribe
) -> None:
    subscribe()
    subscribe(kinds=["failure"])
    fail()
    assert len(told()) == 1


def test_a_muted_cause_is_silent_until_its_date(
    api: Api, fail: Fail, told: Told, subscribe: Subscribe
) -> None:
    subscribe()
    until = (clock.now() + timedelta(days=1)).isoformat()
    body = {"cause": "abc", "until": until, "reason": "known, fixed on Monday"}
    assert api("operator").post("/notifications/mutes", json=body).status_code == 201
    fail()
    fail(fingerprint="other")
    assert [one["cause"] for one in told()] == ["other"]
    (mute,) = api("viewer").get("/notifications/mutes").json()["items"]
    assert (mute["reason"], mute["cause"]) == ("known, fixed on Monday", "abc")
    assert mute["sentence"] == "It failed."
    assert api("operator").delete("/notifications/mutes/abc").status_code == 204
    fail()
    assert [one["cause"] for one in told()] == ["abc"]


def test_a_mute_says_what_it_silences_as_it_was_said_last(api: Api, fail: Fail) -> None:
    """An id alone tells nobody what is silent."""
    until = (clock.now() + timedelta(days=1)).isoformat()
    for cause in ("abc", "unheard-of"):
        body = {"cause": cause, "until": until, "reason": "known"}
        api("operator").post("/notifications/mutes", json=body)
    fail(sentence="load of weather/nightly failed: no such host")
    found = api("viewer").get("/notifications/mutes").json()["items"]
    assert [(one["cause"], one["sentence"]) for one in found] == [
        ("abc", "load of weather/nightly failed: no such host"),
        ("unheard-of", None),
    ]


def test_without_rules_nothing_is_done_but_remembered(server: Server, fail: Fail) -> None:
    """So a server that tells nobody has no steps for it."""
    fail()
    with server.db.read() as conn:
        assert len(conn.execute(select(occasions)).all()) == 1
        query = StepQuery(name=service.NOTIFY, status=StepStatus.READY)
        assert server.db.steps(conn).count(query).ready == 0


@on_both
def test_kinds_without_recovery_are_told_again_after_their_time(
    server: Server, told: Told, subscribe: Subscribe
) -> None:
    subscribe(every=3600)

    def late() -> None:
        with server.db.write() as conn:
            occasion = Occasion(kind=Kind.LATE, group="weather", sentence="It is late.")
            service.occur(conn, server.services, occasion)

    late()
    assert [one["kind"] for one in told()] == ["late"]
    late()
    assert told() == []
    later(server, 3600)
    assert [one["more"] for one in told()] == [1]


def test_a_removed_target_hears_nothing_more(
    server: Server, api: Api, fail: Fail, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe()
    fail()
    assert api("admin").delete("/notifications/targets/ops").status_code == 200
    drain(server, patience=0.2)
    assert receiver.received == []
    assert api("viewer").get("/notifications/rules").json()["items"] == []
