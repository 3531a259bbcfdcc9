"""What would be told to nobody: instants that are skipped for good, runs that never begin."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient
from tests.server.schedules.support import Hands, scheduled, ticked
from tests.server.schedules.test_watching import HOURLY, items
from tests.server.support import Api, on_both

from stepwell.schedules import Every, Misfire
from stepwell.server.app import Server
from stepwell.server.database.tables import attempts, runs
from stepwell.server.schedules.alerts import steps as watching
from stepwell.server.schedules.definitions.changing import books_of


@pytest.fixture
def client(api: Api) -> TestClient:
    return api("operator")


@on_both
def test_what_is_missed_for_good_is_told_however_short_the_delay_was(
    client: TestClient, server: Server, hands: Hands
) -> None:
    """Between the grace of a minute and the five minutes of `late` nobody heard of it."""
    scheduled(server, Every(hours=1, misfire=Misfire.SKIP), late_after=3600)
    hands.move(hours=1, seconds=61)
    ticked(server, books_of(server.services))
    [alert] = items(client, "schedules/alerts")
    assert alert["over_at"] == "2026-05-01T13:01:01Z"
    assert alert["text"] == (
        "weather/nightly was due at 2026-05-01 13:00 UTC, and does not run: no server ticked "
        "until 1 min later, and its misfire policy is to skip."
    )
    hands.move(hours=2)
    ticked(server, books_of(server.services))
    assert " with 1 more after it, and" in items(client, "schedules/alerts")[0]["text"]


@on_both
def test_a_run_whose_container_does_not_begin_is_told_once_and_over_when_it_does(
    client: TestClient, server: Server, hands: Hands
) -> None:
    """Nobody heard of it before its deadline: a day later."""
    one = scheduled(server, HOURLY, labels={"team": "sea"})
    hands.move(hours=1)
    ticked(server)
    with server.db.write() as conn:
        run = conn.execute(select(runs.c.id)).scalar_one()
        why = {"condition": "The secret DB is not there."}
        conn.execute(insert(attempts).values(run_id=run, number=1, queued_at=hands.at, **why))
        conn.execute(update(runs).values(state="starting", attempt=1))
    hands.move(minutes=15)
    assert watching.look(server.services) == 0
    hands.move(seconds=1)
    assert (watching.look(server.services), watching.look(server.services)) == (1, 0)
    [alert] = items(client, "schedules/alerts", open=True)
    assert (alert["kind"], alert["run_id"], alert["schedule_id"]) == ("late", str(run), str(one))
    assert alert["text"] == (
        "weather/nightly was due at 2026-05-01 13:00 UTC, and its container has not begun for "
        "15 min. The secret DB is not there."
    )
    with server.db.write() as conn:
        conn.execute(update(runs).values(state="running", started_at=hands.at))
    watching.look(server.services)
    assert items(client, "schedules/alerts", open=True) == []
    hands.move(hours=23)
    assert watching.look(server.services) >= 1, "that it takes too long is another thing"
    assert items(client, "schedules/alerts", kind="too-long", open=True)[0]["run_id"] == str(run)
