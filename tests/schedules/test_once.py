"""One shot: a single instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from stepwell.errors import InvalidInput
from stepwell.schedules import Once

EVE = datetime(2026, 12, 24, 17, tzinfo=timezone(timedelta(hours=1)))


def test_it_is_due_once() -> None:
    assert Once(EVE).next_after(EVE - timedelta(days=1)) == EVE
    assert Once(EVE).next_after(EVE) is None
    assert list(Once(EVE).between(EVE, EVE + timedelta(days=1))) == [EVE]


def test_its_instant_is_kept_in_utc() -> None:
    assert Once(EVE).as_json()["at"] == "2026-12-24T16:00:00Z"
    assert Once(EVE).describe() == "Once, at 2026-12-24 16:00 UTC"
    later = EVE + timedelta(seconds=2)
    assert Once(later).describe() == "Once, at 2026-12-24 16:00:02 UTC"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        Once(datetime(2026, 12, 24))


def test_the_bounds_hold_for_it_too() -> None:
    assert Once(EVE, end=EVE).next_after(datetime(2026, 1, 1, tzinfo=UTC)) is None
