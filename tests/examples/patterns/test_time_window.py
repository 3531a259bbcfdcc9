"""A time window from 07:00 to 20:00, also in the night in which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from patterns.time_window import Call, build, opening

from stepwell import new_step
from stepwell.testing.clock import VirtualClock
from stepwell.testing.virtual import VirtualEngine

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-27 06:59", "2026-03-27 07:00"),
        ("2026-03-27 07:00", None),
        ("2026-03-27 19:59", None),
        ("2026-03-27 20:00", "2026-03-28 07:00"),
        ("2026-03-28 23:00", "2026-03-29 07:00"),  # summer time begins in between
        ("2026-12-31 22:00", "2027-01-01 07:00"),
    ],
)
def test_the_window_opens_at_seven_and_closes_at_eight(now: str, opens: str | None) -> None:
    found = opening(datetime.fromisoformat(now).replace(tzinfo=OSLO).astimezone(UTC), OSLO)
    assert (None if found is None else f"{found:%Y-%m-%d %H:%M}") == opens


def test_a_call_at_night_waits_for_the_morning_of_its_own_zone() -> None:
    clock = VirtualClock(datetime(2026, 3, 28, 21, tzinfo=UTC))  # 22:00 in Oslo, 17:00 in New York
    rung: list[tuple[str, datetime]] = []
    engine = VirtualEngine(
        build(lambda number: rung.append((number, clock.now())), clock), clock=clock
    )
    oslo = engine.add(new_step("v1/call", Call("+47", "Europe/Oslo")))
    engine.add(new_step("v1/call", Call("+1", "America/New_York")))
    engine.drain()
    assert [number for number, _ in rung] == ["+1"]
    assert engine.get(oslo).description == "waits for Sunday 07:00 in Europe/Oslo"

    engine.advance(days=1)
    assert rung[1:] == [("+47", datetime(2026, 3, 29, 5, tzinfo=UTC))]
    assert engine.get(oslo).failure_count == 0
