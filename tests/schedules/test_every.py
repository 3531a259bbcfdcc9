"""Intervals: seconds of real time, counted from an anchor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepwell.schedules import Every, IntervalInvalid

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_units_add_up() -> None:
    assert Every(minutes=1, hours=1, days=1).seconds == 86400 + 3600 + 60
    assert Every(minutes=15) == Every(seconds=900)


def test_without_an_anchor_it_falls_on_round_times() -> None:
    assert Every(minutes=15).next_after(NOON + timedelta(minutes=2)) == NOON.replace(minute=15)


def test_a_due_instant_is_not_after_itself() -> None:
    assert Every(minutes=15).next_after(NOON) == NOON.replace(minute=15)


def test_it_is_counted_from_its_anchor_in_both_directions() -> None:
    spec = Every(hours=1, anchor=NOON.replace(minute=7))
    assert spec.next_after(NOON) == NOON.replace(minute=7)
    assert spec.next_after(NOON - timedelta(hours=3)) == NOON.replace(hour=9, minute=7)


def test_its_start_is_its_anchor_and_its_first_instant() -> None:
    spec = Every(hours=1, start=NOON.replace(minute=7))
    assert spec.next_after(NOON - timedelta(days=1)) == NOON.replace(minute=7)


def test_the_end_is_not_included() -> None:
    spec = Every(hours=1, end=NOON)
    assert spec.next_after(NOON - timedelta(hours=2)) == NOON - timedelta(hours=1)
    assert spec.next_after(NOON - timedelta(hours=1)) is None


@pytest.mark.parametrize(
    "parts", [{}, {"seconds": 0.5}, {"seconds": -5}, {"minutes": "5"}, {"seconds": True}]
)
def test_an_interval_that_cannot_be_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(IntervalInvalid) as caught:
        Every(**parts)
    assert caught.value.code == "interval-invalid"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (Every(minutes=15), "Every 15 minutes"),
        (Every(hours=1), "Every hour"),
        (Every(seconds=90), "Every 1 minute 30 seconds"),
        (Every(hours=1, anchor=NOON), "Every hour, counted from 2026-05-01 12:00 UTC"),
        (Every(days=1, end=NOON), "Every day, until 2026-05-01 12:00 UTC"),
    ],
)
def test_it_describes_itself(spec: Every, words: str) -> None:
    assert spec.describe() == words
