"""What holds for any cron expression in any zone, around any change of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.schedules import Cron
from stepwell.schedules.cron import is_time_of_day

ZONES = (
    "UTC",
    "Europe/Oslo",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "America/Santiago",
)
MINUTES = ("*", "*/7", "*/15", "0", "30", "5,35", "0-10/5")
HOURS = ("*", "*/2", "0", "1", "2", "1-3", "0,2,23", "3")
DAYS = ("*", "1", "25-31", "L")
WEEKDAYS = ("*", "SUN", "FRI", "MON-FRI")

expressions = st.builds(
    "{} {} {} * {}".format,
    st.sampled_from(MINUTES),
    st.sampled_from(HOURS),
    st.sampled_from(DAYS),
    st.sampled_from(WEEKDAYS),
)
specs = st.builds(Cron, expressions, st.sampled_from(ZONES))
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


def matches(spec: Cron, instant: datetime) -> bool:
    """Whether the clock shows a time that the expression names, by a reading of our own."""
    wall = instant.astimezone(ZoneInfo(spec.timezone)).replace(tzinfo=None)
    return Cron(spec.expression).next_after(
        wall.replace(tzinfo=UTC) - timedelta(microseconds=1)
    ) == wall.replace(tzinfo=UTC)


@settings(max_examples=200, deadline=None)
@given(specs, instants)
def test_fires_rise_strictly_and_asking_one_by_one_gives_the_same(
    spec: Cron, begin: datetime
) -> None:
    fires = list(islice(spec.fires(begin), 20))
    assert all(a < b for a, b in zip([begin, *fires], fires, strict=False))
    assert [spec.next_after(before) for before in [begin, *fires[:-1]]] == fires


CHANGES = {
    "Europe/Oslo": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    "America/St_Johns": ("2026-03-08T05:30Z", "2026-11-01T04:30Z"),
    "Australia/Lord_Howe": ("2026-10-03T15:30Z", "2026-04-04T15:00Z"),
    "Africa/Cairo": ("2026-04-23T22:00Z", "2026-10-29T21:00Z"),
}
by_clock = expressions.filter(lambda expression: not is_time_of_day(expression))
changes = st.sampled_from([(zone, at) for zone, ats in CHANGES.items() for at in ats])


@settings(max_examples=40, deadline=None)
@given(by_clock, changes)
def test_what_follows_the_clock_fires_exactly_when_the_clock_matches(
    expression: str, change: tuple[str, str]
) -> None:
    """Every minute of the hours around a change is asked."""
    spec, begin = Cron(expression, change[0]), datetime.fromisoformat(change[1])
    begin -= timedelta(hours=2)
    minutes = [begin + n * timedelta(minutes=1) for n in range(4 * 60)]
    shown = [one for one in minutes if matches(spec, one)]
    assert list(spec.between(begin, begin + timedelta(hours=4))) == shown


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(ZONES), instants, st.sampled_from(("0", "15", "30", "59")), st.integers(0, 23)
)
def test_a_time_of_day_fires_once_on_every_day(
    zone: str, begin: datetime, minute: str, hour: int
) -> None:
    spec = Cron(f"{minute} {hour} * * *", zone)
    fires = list(islice(spec.fires(begin), 120))
    days = [one.astimezone(ZoneInfo(zone)).date() for one in fires]
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
