"""The only reader of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import stepwell
from stepwell.clock import SYSTEM, StoreClock, as_utc, now
from stepwell.errors import InvalidInput
from stepwell.testing.clock import VirtualClock

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


def test_an_instant_that_no_year_of_utc_has_is_refused() -> None:
    with pytest.raises(InvalidInput, match="in no year of UTC"):
        as_utc(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))


@pytest.mark.parametrize("ahead", [-300, 0, 300])
def test_the_stores_time_is_known_as_exactly_as_its_answer_was_quick(ahead: int) -> None:
    local = VirtualClock()
    store = StoreClock(local)
    asked, told = store.reading(), local.now() + timedelta(seconds=ahead)
    local.advance(0.5)
    store.adjust(told, asked)
    assert abs(store.now() - local.now() - timedelta(seconds=ahead)) <= timedelta(seconds=0.5)


@pytest.mark.parametrize("on_its_way", ["there", "back"])
def test_an_answer_that_was_long_on_its_way_does_not_bend_the_stores_time(on_its_way: str) -> None:
    """R17: a process that stood still in between would begin its steps late, or early."""
    local = VirtualClock()
    store = StoreClock(local)
    ahead = timedelta(seconds=300)
    store.adjust(local.now() + ahead, store.reading())
    asked = store.reading()
    local.advance(10 if on_its_way == "there" else 0)
    told = local.now() + ahead
    local.advance(10 if on_its_way == "back" else 0)
    store.adjust(told, asked)
    assert store.now() == local.now() + ahead


def test_nobody_else_reads_the_wall_clock() -> None:
    """One clock, so that tests can hand in another."""
    reading = re.compile(r"datetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.time\(")
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if reading.search(path.read_text())
    }
    assert found <= CLOCKS
