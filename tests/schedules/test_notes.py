"""What is said about the changes of the clock, at real ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stepwell.schedules import Cron, Every, Once
from stepwell.schedules.notes import notes

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 29, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 25, 1, tzinfo=UTC)


def texts(expression: str, zone: str, start: datetime | None = None) -> list[str]:
    return [one.text for one in notes(Cron(expression, timezone=zone, start=start), BEGIN, END)]


@pytest.mark.parametrize(
    ("expression", "zone", "said"),
    [
        (
            "30 2 * * *",
            "Europe/Oslo",
            [
                "On 29 Mar 2026 02:30 does not exist: runs once at 03:00 instead.",
                "Runs once on 25 Oct 2026 though 02:30 happens twice: the first time.",
            ],
        ),
        (
            "*/30 2 * * *",
            "Europe/Oslo",
            [
                "Skipped on 29 Mar 2026: 02:00 and 02:30 do not exist.",
                "Runs twice on 25 Oct 2026 at 02:00 and 02:30: the clock shows them twice.",
            ],
        ),
        (
            "*/5 2 * * *",
            "America/New_York",
            ["Skipped on 8 Mar 2026: 02:00 to 02:55 (12 times) do not exist."],
        ),
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            ["On 4 Oct 2026 02:15 does not exist: runs once at 02:30 instead."],
        ),
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            ["Runs once on 5 Apr 2026 though 01:45 happens twice: the first time."],
        ),
        ("30 2 * * *", "Asia/Tokyo", []),
        ("30 2 * * MON", "Europe/Oslo", []),
        ("*/15 * * * *", "Europe/Oslo", []),
    ],
)
def test_both_changes_are_noted_where_they_matter(
    expression: str, zone: str, said: list[str]
) -> None:
    assert texts(expression, zone) == said


def test_what_is_noted_is_what_happens() -> None:
    spec = Cron("30 2 * * *", timezone="Europe/Oslo")
    march, october = notes(spec, BEGIN, END)
    assert (march.at, october.at) == (MARCH, OCTOBER)
    assert MARCH in spec.between(MARCH, END), "03:00 in Oslo"


def test_nothing_is_said_outside_of_start_and_end() -> None:
    assert texts("30 2 * * *", "Europe/Oslo", start=OCTOBER) == []
    assert len(texts("30 2 * * *", "Europe/Oslo", start=MARCH)) == 2


def test_intervals_and_single_shots_notice_nothing() -> None:
    assert [*notes(Every(hours=1), BEGIN, END), *notes(Once(MARCH), BEGIN, END)] == []
