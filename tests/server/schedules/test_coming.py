"""Instants that are kept for the next time somebody asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.server.schedules.support import NOON

from stepwell.schedules import Cron, Every, Once, Schedule
from stepwell.server.schedules.previews import coming
from stepwell.server.schedules.previews.coming import Known

MARCH = datetime(2026, 3, 28, 12, tzinfo=UTC)
LAST_HOUR = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "spec",
    [
        Every(minutes=7, anchor=MARCH),
        Cron("*/20 * * * *", timezone="Europe/Oslo", jitter=30).keyed("a"),
        Cron("30 2 * * *", timezone="Europe/Oslo", end=MARCH + timedelta(days=3)),
    ],
)
def test_whatever_the_end_they_are_those_of_the_schedule(spec: Schedule) -> None:
    known = Known()
    begin = spec.next_after(MARCH)
    assert begin is not None
    for minutes in (200, 30, 3, 0, 59, 60, 61, 3000):
        end = begin + timedelta(minutes=minutes, seconds=17)
        assert list(known.of(spec, begin, end)) == list(spec.between(begin, end)), minutes


def test_they_are_computed_once_for_ends_of_the_same_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    known, spec = Known(), Every(minutes=5, anchor=NOON)
    known.of(spec, NOON, NOON + timedelta(hours=3, minutes=1))
    monkeypatch.setattr(coming, "_computed", lambda *_: pytest.fail("computed again"))
    assert len(known.of(spec, NOON, NOON + timedelta(hours=3, minutes=59))) == 48


def test_schedules_that_differ_by_their_jitter_alone_are_not_confused() -> None:
    known, spec = Known(), Every(hours=1, anchor=NOON, jitter=600)
    one, other = (
        known.of(spec.keyed(key), NOON, NOON + timedelta(days=1)) for key in ("one", "other")
    )
    assert list(one) != list(other)


def test_what_was_computed_first_gives_way() -> None:
    known = Known(room=300)
    specs = [Every(hours=1, anchor=NOON + timedelta(minutes=one)) for one in range(50)]
    for spec in specs:
        known.of(spec, NOON, NOON + timedelta(hours=90))
    assert len(known) == 3


def test_the_end_of_all_time_is_an_end() -> None:
    spec = Once(LAST_HOUR)
    assert list(Known().of(spec, LAST_HOUR, LAST_HOUR + timedelta(minutes=1))) == [LAST_HOUR]
