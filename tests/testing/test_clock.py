"""The virtual clock moves when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stepwell.clock import Clock
from stepwell.testing.clock import BEGINNING, VirtualClock


def test_time_stands_still() -> None:
    clock: Clock = VirtualClock()
    assert (clock.now(), clock.monotonic()) == (BEGINNING, 0.0)
    assert (clock.now(), clock.monotonic()) == (BEGINNING, 0.0)


def test_advancing_moves_both_clocks() -> None:
    clock = VirtualClock()
    assert clock.advance(90) == BEGINNING + timedelta(seconds=90)
    assert clock.monotonic() == 90


def test_setting_bends_the_wall_clock_alone() -> None:
    clock = VirtualClock()
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2030, 1, 1, tzinfo=UTC)
    assert clock.monotonic() == 0
