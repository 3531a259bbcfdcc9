"""The only reader of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import stepwell
from stepwell.clock import SYSTEM, as_utc, now
from stepwell.errors import InvalidInput

SOURCE = Path(stepwell.__path__[0])
CLOCKS = {
    "clock.py",
    "launchers/shim.py",  # a script by itself: it starts an image and imports nothing of ours
}


def test_now_is_aware_and_in_utc() -> None:
    assert now().tzinfo is UTC


def test_the_monotonic_clock_never_goes_back() -> None:
    read = [SYSTEM.monotonic() for _ in range(1000)]
    assert read == sorted(read)


def test_an_instant_keeps_its_place_in_time() -> None:
    there = datetime(2026, 7, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    assert as_utc(there) == there
    assert as_utc(there).hour == 7


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(InvalidInput, match="has no time zone") as caught:
        as_utc(datetime(2026, 7, 1, 9))
    assert "datetime.now(timezone.utc)" in caught.value.fix


def test_nobody_else_reads_the_wall_clock() -> None:
    """One clock, so that tests can hand in another."""
    reading = re.compile(r"datetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.time\(")
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if reading.search(path.read_text())
    }
    assert found <= CLOCKS
