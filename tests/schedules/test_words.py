"""A schedule in the words of a call is the schedule that these words mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepwell import Registry, Step
from stepwell.schedules import Cron, Every, Misfire, Overlap, ScheduleInvalid, Timetable, due_at
from stepwell.schedules.words import spec_of
from stepwell.testing.clock import VirtualClock
from stepwell.testing.virtual import VirtualEngine

OSLO = "Europe/Oslo"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ({"cron": "30 7 * * 1-5"}, Cron("30 7 * * 1-5")),
        ({"cron": "30 7 * * 1-5", "timezone": OSLO}, Cron("30 7 * * 1-5", timezone=OSLO)),
        ({"every": 90}, Every(seconds=90)),
        ({"every": timedelta(minutes=15)}, Every(minutes=15)),
        (
            {"cron": "0 * * * *", "overlap": "queue", "misfire": "all"},
            Cron("0 * * * *", overlap=Overlap.QUEUE, misfire=Misfire.ALL),
        ),
        ({"every": 60, "overlap": Overlap.ALLOW}, Every(minutes=1, overlap=Overlap.ALLOW)),
    ],
)
def test_words_mean_a_schedule(words: dict[str, Any], meant: object) -> None:
    assert spec_of(**words) == meant


def test_a_schedule_that_was_made_is_taken_as_it_is() -> None:
    spec = Every(hours=1)
    assert spec_of(spec) is spec


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "does not say when"),
        ({"timezone": OSLO}, "does not say when"),
        ({"cron": "0 * * * *", "every": 60}, "two schedules"),
        ({"every": 60, "timezone": OSLO}, "not kept in a time zone"),
        ({"every": 0.5}, "interval"),
        ({"cron": "61 * * * *"}, "minute"),
        ({"cron": "0 * * * *", "timezone": "Europe/Olso"}, "Europe/Oslo"),
        ({"every": 60, "overlap": "maybe"}, "overlap"),
        ({"spec": Every(hours=1), "overlap": "skip"}, "beside it"),
        ({"spec": "0 7 * * *"}, "cron='0 7"),
    ],
)
def test_words_that_do_not_go_together_are_refused_with_a_remedy(
    words: dict[str, Any], said: str
) -> None:
    with pytest.raises(ScheduleInvalid, match=said):
        spec_of(**words)


def test_a_timetable_takes_the_words() -> None:
    clock = VirtualClock(datetime(2026, 3, 27, 12, tzinfo=UTC))
    registry = Registry()
    ran: list[str] = []

    @registry.handler("v1/report")
    def report(step: Step) -> None:
        ran.append(f"{due_at(step):%d %H:%M}")

    engine = VirtualEngine(registry, clock=clock)
    timetable = Timetable(engine, registry, clock=clock)
    timetable.schedule(
        "v1/report", cron="30 7 * * *", timezone=OSLO, overlap="skip", misfire="latest"
    )
    engine.advance(days=3)
    assert ran == ["28 06:30", "29 05:30", "30 05:30"]
    plan = timetable.find("v1/report")
    assert plan is not None
    assert plan.describe().startswith("At 07:30 every day (Europe/Oslo)")
