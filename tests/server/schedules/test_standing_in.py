"""Schedules are acted upon also while every worker of the server waits for something outside."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select
from tests.server.schedules.support import Hands, faults, scheduled, ticked
from tests.server.schedules.test_watching import HOURLY
from tests.server.support import on_both

from stepwell.server import background
from stepwell.server.app import Server
from stepwell.server.database.tables import runs
from stepwell.server.schedules import steps
from stepwell.server.services import Services


def begun(server: Server) -> int:
    with server.db.read() as conn:
        return conn.execute(select(func.count()).select_from(runs)).scalar_one()


@on_both
def test_what_the_tick_is_behind_with_is_settled_once(server: Server, hands: Hands) -> None:
    """A container engine that hung for a minute at a time stopped all schedules for minutes."""
    one = scheduled(server, HOURLY)
    hands.move(hours=1, seconds=14)
    assert (steps.stand_in(server.services), begun(server)) == (0, 0)
    hands.move(seconds=1)
    assert (steps.stand_in(server.services), begun(server)) == (1, 1)
    ticked(server)
    assert (steps.stand_in(server.services), begun(server)) == (0, 1)
    assert faults(server, one) == []


def test_who_looks_after_the_servers_steps_stands_in_for_the_tick(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stood_in = threading.Event()

    def stand_in(_: Services) -> int:
        stood_in.set()
        return 1

    monkeypatch.setattr(steps, "stand_in", stand_in)
    seeder = background.Seeder(server.services, every=0.01)
    seeder.start()
    try:
        assert stood_in.wait(30)
    finally:
        seeder.stop()
