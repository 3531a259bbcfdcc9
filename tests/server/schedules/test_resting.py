"""A clock was ahead and was put back: what was done ahead is not done twice, and that is said."""

from __future__ import annotations

import pytest
from tests.server.schedules.support import Hands, lines, scheduled, ticked
from tests.server.support import on_both

from stepwell import clock
from stepwell.schedules import Every
from stepwell.server.app import Server
from stepwell.server.schedules import service
from stepwell.server.summary.service import summary
from stepwell.server.waiting import service as waiting


@on_both
def test_a_schedule_that_rests_until_what_it_did_ahead_is_past_is_not_called_on_time(
    server: Server, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", hands.now)
    one = scheduled(server, Every(hours=1))
    hands.move(days=1, seconds=1)
    ticked(server)
    hands.move(days=-1)
    ticked(server)
    assert lines(server, one) == [("missed", "down", 23), ("ran", None, 1)]
    with server.db.read() as conn:
        found = summary(conn, server.services)
        why = waiting.why_schedule(conn, server.services, one)
    assert found.counts.resting == 1
    assert "1 of 1 schedule at rest, for a clock was ahead." in found.sentence
    assert "on time" not in found.sentence
    assert "was done while a clock was ahead." in why.sentence


@on_both
def test_a_schedule_rests_no_more_when_that_is_past_or_where_it_was_only_changed(
    server: Server, hands: Hands
) -> None:
    one = scheduled(server, Every(hours=1))
    hands.move(hours=1, seconds=1)
    ticked(server)
    with server.db.read() as conn:
        assert service.resting(conn, hands.now()) == 0
        assert service.rests_until(conn, one, hands.now()) is None
    other = scheduled(server, Every(hours=12), name="other")
    with server.db.read() as conn:
        assert service.resting(conn, hands.now()) == 0
        assert service.rests_until(conn, other, hands.now()) is None
