"""Schedules as JSON: what is written is read back, and mistakes are named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stepwell.errors import InvalidInput
from stepwell.schedules import Cron, Every, Once, Overlap, Schedule, ScheduleInvalid, from_json

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "spec",
    [
        Cron("30 7 * * MON-FRI", timezone="Europe/Oslo", overlap=Overlap.QUEUE),
        Every(minutes=15, anchor=NOON, start=NOON),
        Once(NOON, end=NOON.replace(year=2027)),
    ],
)
def test_what_is_written_is_read_back(spec: Schedule) -> None:
    assert from_json(spec.as_json()) == spec


def test_the_json_has_every_choice_that_was_made_by_default() -> None:
    assert Cron("0 7 * * *").as_json() == {
        "kind": "cron",
        "expression": "0 7 * * *",
        "timezone": "UTC",
        "overlap": "skip",
        "misfire": "latest",
    }


def test_options_may_be_given_as_words() -> None:
    assert Cron("0 7 * * *", overlap="queue").overlap is Overlap.QUEUE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({}, "no kind of schedule None"),
        ({"kind": "sometimes"}, "no kind of schedule 'sometimes'"),
        ({"kind": "cron"}, "needs the field 'expression'"),
        ({"kind": "cron", "expression": "0 7 * * *", "zone": "UTC"}, "no field 'zone'"),
        ({"kind": "cron", "expression": 7}, "7 is not a cron expression"),
        ({"kind": "cron", "expression": "0 7 * * *", "timezone": None}, "not the name"),
        ({"kind": "cron", "expression": "0 7 * * *", "overlap": "maybe"}, "overlap is 'maybe'"),
        ({"kind": "once", "at": "soon"}, "at 'soon' is not an instant"),
        ({"kind": "once", "at": "2026-01-01T00:00:00"}, "no time zone"),
        ({"kind": "interval", "seconds": "x"}, "interval cannot be used"),
        (
            {
                "kind": "interval",
                "seconds": 5,
                "start": "2026-01-02T00:00Z",
                "end": "2026-01-01T00:00Z",
            },
            "before it starts",
        ),
        ([], "JSON object"),
    ],
)
def test_a_mistake_in_the_json_is_named(data: Any, named: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_json(data)
    assert named in str(caught.value)
    assert caught.value.fix


def test_the_errors_of_one_kind_are_errors_of_schedules() -> None:
    with pytest.raises(ScheduleInvalid):
        from_json({"kind": "cron", "expression": "x"})
