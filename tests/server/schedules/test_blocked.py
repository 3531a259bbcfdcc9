"""A due instant whose run could not be started: nobody looks into the ledger at night."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from tests.server.schedules.support import Hands, end_runs, scheduled, ticked
from tests.server.support import on_both

from stepwell.schedules import Every, Overlap
from stepwell.server.app import Server
from stepwell.server.database.tables import occasions
from stepwell.server.schedules import queries

HOURLY = Every(hours=1, overlap=Overlap.ALLOW)


@on_both
@pytest.mark.parametrize(
    "changed",
    [{"parameters": {"limit": "many"}}, {"spec": {"kind": "moon"}}],
    ids=["its run cannot be started", "it cannot be read"],
)
def test_an_instant_that_is_blocked_is_a_failure_that_is_told(
    server: Server, hands: Hands, changed: dict[str, Any]
) -> None:
    one = scheduled(server, HOURLY)
    with server.db.write() as conn:
        queries.change(conn, one, **changed)
    hands.move(hours=1)
    ticked(server)
    with server.db.read() as conn:
        query = select(occasions).where(occasions.c.schedule_id == one)
        [told] = conn.execute(query).mappings().all()
    assert (told["kind"], told["workflow"], told["passed_at"]) == ("failure", "nightly", None)
    assert told["sentence"].startswith("weather/nightly was due at 2026-05-01 13:00")


def test_a_queued_instant_that_is_blocked_is_told_too(server: Server, hands: Hands) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.QUEUE))
    for _ in range(2):
        hands.move(hours=1)
        ticked(server)
    with server.db.write() as conn:
        queries.change(conn, one, parameters={"limit": "many"})
    end_runs(server)
    ticked(server)
    with server.db.read() as conn:
        [told] = conn.execute(select(occasions.c.sentence)).scalars()
    assert told.startswith("weather/nightly was due at 2026-05-01 14:00")
