"""Calendars: on which days a schedule does not run."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from stepwell.schedules import Cron, Every, ScheduleInvalid
from stepwell.schedules.calendars import Calendar, exclusion
from stepwell.schedules.errors import CalendarUnknown

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)


def test_public_holidays_are_those_of_the_country_on_the_schedules_clock() -> None:
    excluded = exclusion(Cron("0 7 * * *", timezone="Europe/Oslo", exclude=("holidays:NO",)), {})
    assert excluded(NOON) == "Constitution Day"
    assert excluded(datetime(2026, 5, 16, 22, 30, tzinfo=UTC)) == "Constitution Day"
    assert excluded(datetime(2026, 5, 16, 21, 30, tzinfo=UTC)) is None


def test_a_subdivision_has_days_of_its_own() -> None:
    epiphany = datetime(2026, 1, 6, 12, tzinfo=UTC)
    assert exclusion(Every(hours=1, exclude=("holidays:DE",)), {})(epiphany) is None
    assert exclusion(Every(hours=1, exclude=("holidays:DE-BY",)), {})(epiphany) == "Epiphany"


def test_an_own_calendar_may_have_a_zone_of_its_own() -> None:
    days = {date(2026, 12, 24): "closed"}
    spec = Every(hours=1, exclude=("company",))
    late = datetime(2026, 12, 24, 23, 30, tzinfo=UTC)
    assert exclusion(spec, {"company": Calendar(days)})(late) == "closed"
    assert exclusion(spec, {"company": Calendar(days, "Asia/Tokyo")})(late) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("company", "no calendar 'company'"),
        ("holidays:XX", "no public holidays of 'XX'"),
        ("holidays:US-QQ", "'QQ' in US"),
    ],
)
def test_a_calendar_that_is_not_there_is_named(name: str, said: str) -> None:
    with pytest.raises(CalendarUnknown, match=said):
        exclusion(Every(hours=1, exclude=(name,)), {})


@pytest.mark.parametrize("exclude", ["holidays:NO", ["Company"], [5], ["holidays:no"]])
def test_names_are_a_list_of_words(exclude: object) -> None:
    with pytest.raises(ScheduleInvalid, match="calendar"):
        Every(hours=1, exclude=exclude)  # type: ignore[arg-type]
