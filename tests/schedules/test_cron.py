"""Cron expressions: what fires when, also when clocks change, and how mistakes are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from stepwell.schedules import Cron, CronInvalid, TimezoneUnknown

OSLO = ZoneInfo("Europe/Oslo")


def fires(expression: str, timezone: str, begin: str, end: str) -> list[str]:
    """Fires of a span of UTC, each as the zone's clock shows it."""
    spec = Cron(expression, timezone=timezone)
    span = spec.between(datetime.fromisoformat(begin), datetime.fromisoformat(end))
    return [one.astimezone(ZoneInfo(timezone)).isoformat(timespec="minutes") for one in span]


def spring(expression: str, zone: str = "Europe/Oslo") -> list[str]:
    return fires(expression, zone, "2026-03-28T23:00Z", "2026-03-29T22:00Z")


def autumn(expression: str, zone: str = "Europe/Oslo") -> list[str]:
    return fires(expression, zone, "2026-10-24T22:00Z", "2026-10-25T23:00Z")


def test_a_working_day_at_half_past_seven() -> None:
    got = fires("30 7 * * MON-FRI", "Europe/Oslo", "2026-01-02T00:00Z", "2026-01-06T00:00Z")
    assert got == ["2026-01-02T07:30+01:00", "2026-01-05T07:30+01:00"]


def test_a_time_of_day_that_is_left_out_fires_when_the_clock_jumps_over_it() -> None:
    assert spring("30 2 * * *") == ["2026-03-29T03:00+02:00"]


@pytest.mark.parametrize("five", ["30 2 * * *", "0,30 2,3 * * *", "15 1-3 * * *", "*/20 2 * * *"])
def test_six_fields_behave_as_five(five: str) -> None:
    assert spring("0 " + five) == spring(five)
    assert autumn("0 " + five) == autumn(five)


def test_several_times_that_are_left_out_fire_once_together() -> None:
    assert spring("0,30 2,3 * * *") == ["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"]


def test_a_time_of_day_that_comes_twice_fires_the_first_time_only() -> None:
    assert autumn("30 2 * * *") == ["2026-10-25T02:30+02:00"]


def test_asked_between_the_two_the_next_is_tomorrow() -> None:
    """Cronsim alone answers with the first half past two, which is in the past."""
    between = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert Cron("30 2 * * *", "Europe/Oslo").next_after(between) == datetime(
        2026, 10, 26, 1, 30, tzinfo=UTC
    )


def test_what_follows_the_clock_leaves_out_what_the_clock_leaves_out() -> None:
    assert spring("30 * * * *")[:4] == [
        "2026-03-29T00:30+01:00",
        "2026-03-29T01:30+01:00",
        "2026-03-29T03:30+02:00",
        "2026-03-29T04:30+02:00",
    ]
    assert spring("*/30 2 * * *") == []


def test_what_follows_the_clock_fires_twice_when_the_clock_shows_it_twice() -> None:
    assert autumn("*/30 2 * * *") == [
        "2026-10-25T02:00+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-25T02:00+01:00",
        "2026-10-25T02:30+01:00",
    ]


def test_every_quarter_of_an_hour_is_evenly_spaced_through_both_changes() -> None:
    for begin in ("2026-03-28T00:00Z", "2026-10-24T00:00Z"):
        start = datetime.fromisoformat(begin)
        spec = Cron("*/15 * * * *", "Europe/Oslo")
        got = list(spec.between(start, start + timedelta(days=3)))
        assert got == [start + n * timedelta(minutes=15) for n in range(3 * 96)]


def test_a_half_hour_change_forward_is_honoured() -> None:
    """Lord Howe Island: at 02:00 the clock goes to 02:30."""
    span = ("2026-10-03T13:00Z", "2026-10-04T12:00Z")
    zone = "Australia/Lord_Howe"
    assert fires("15 2 * * *", zone, *span) == ["2026-10-04T02:30+11:00"]
    assert fires("*/15 2 * * *", zone, *span) == [
        "2026-10-04T02:30+11:00",
        "2026-10-04T02:45+11:00",
    ]


def test_a_half_hour_change_back_is_honoured() -> None:
    """Lord Howe Island: at 02:00 the clock goes back to 01:30."""
    span = ("2026-04-04T13:00Z", "2026-04-05T13:00Z")
    zone = "Australia/Lord_Howe"
    assert fires("45 1 * * *", zone, *span) == ["2026-04-05T01:45+11:00"]
    assert fires("*/15 1 * * *", zone, *span) == [
        "2026-04-05T01:00+11:00",
        "2026-04-05T01:15+11:00",
        "2026-04-05T01:30+11:00",
        "2026-04-05T01:45+11:00",
        "2026-04-05T01:30+10:30",
        "2026-04-05T01:45+10:30",
    ]
    assert fires("*/15 2 * * *", zone, *span)[:2] == [
        "2026-04-05T02:00+10:30",
        "2026-04-05T02:15+10:30",
    ]


def test_a_midnight_that_is_left_out_fires_at_one() -> None:
    """Cairo: on 2026-04-24 the day begins at 01:00."""
    got = fires("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00Z", "2026-04-24T12:00Z")
    assert got == ["2026-04-24T01:00+03:00"]


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("0 0 L * *", "2026-01-31T00:00+00:00"),
        ("0 9 LW * *", "2026-01-30T09:00+00:00"),
        ("0 0 * * FRI#2", "2026-01-09T00:00+00:00"),
        ("0 0 * * 5L", "2026-01-30T00:00+00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00+00:00"),
        ("0 0 13 * FRI", "2026-01-02T00:00+00:00"),
    ],
)
def test_last_nth_and_leap_days(expression: str, first: str) -> None:
    assert Cron(expression).next_after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime.fromisoformat(
        first
    )


def test_seconds_come_first_in_six_fields() -> None:
    spec = Cron("*/20 * * * * *")
    got = list(
        spec.between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 1, tzinfo=UTC))
    )
    assert [one.second for one in got] == [0, 20, 40]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("61 * * * *", "minute field '61'"),
        ("0 25 * * *", "hour field '25'"),
        ("0 0 32 * *", "day-of-month field '32'"),
        ("0 0 * FOO *", "month field 'FOO'"),
        ("0 0 * * FRI-MON", "day-of-week field 'FRI-MON'"),
        ("61 * * * * *", "second field '61'"),
        ("@daily", "has 1 field"),
        ("", "has 0 fields"),
        ("0 0 30 2 *", "None of its months has a day 30"),
        ("*/90 * * * *", "a step of 90 in its minute field"),
        ("*/24/30 * * * *", "minute"),
    ],
)
def test_a_mistake_is_named_with_its_field(expression: str, named: str) -> None:
    with pytest.raises(CronInvalid) as caught:
        Cron(expression)
    assert named in str(caught.value)
    assert caught.value.code == "cron-invalid"
    assert caught.value.fix


def test_what_is_allowed_in_the_field_is_said() -> None:
    with pytest.raises(CronInvalid, match=r"The hour field takes 0-23, \*"):
        Cron("0 24 * * *")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("Europe/Olso", "Europe/Oslo"),
        ("europe/oslo", "Europe/Oslo"),
        ("Oslo", "Europe/Oslo"),
        ("America/New York", "America/New_York"),
    ],
)
def test_an_unknown_zone_is_answered_with_near_names(wrong: str, meant: str) -> None:
    with pytest.raises(TimezoneUnknown) as caught:
        Cron("0 0 * * *", timezone=wrong)
    assert meant in caught.value.fix
    assert caught.value.code == "timezone-unknown"


@pytest.mark.parametrize(
    "wrong", ["", "localtime", "../etc/passwd", "/etc/passwd", "Nowhere/At/All"]
)
def test_a_zone_is_never_a_file_of_the_machine(wrong: str) -> None:
    with pytest.raises(TimezoneUnknown):
        Cron("0 0 * * *", timezone=wrong)


def test_it_describes_itself_with_its_zone() -> None:
    assert (
        Cron("30 7 * * MON-FRI", "Europe/Oslo").describe()
        == "At 07:30 on Monday through Friday (Europe/Oslo)"
    )


_OF_NO_OTHER_TEST = "17 4 3 2 FRI#5"
"""For what it is made of stays known."""


def test_words_are_made_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages ask for those of hundreds of schedules at each look."""
    asked: list[str] = []

    def explain(self: CronSim) -> str:
        asked.append("")
        return "Now and then"

    monkeypatch.setattr(CronSim, "explain", explain)
    words = [Cron(_OF_NO_OTHER_TEST, zone).describe() for zone in ("UTC", "Europe/Oslo", "UTC")]
    assert words == [f"Now and then ({zone})" for zone in ("UTC", "Europe/Oslo", "UTC")]
    assert len(asked) == 1
