"""An hourly singleton: one of its kind, each hour, whatever happens to one of them."""

from __future__ import annotations

from datetime import UTC, datetime

from patterns.hourly_singleton import NAME, build, start

from stepwell.testing.clock import VirtualClock
from stepwell.testing.virtual import VirtualEngine

BEGUN = datetime(2026, 1, 1, 12, 20, tzinfo=UTC)


def test_it_runs_at_the_start_and_then_each_full_hour_once() -> None:
    clock, ran = VirtualClock(BEGUN), []

    def clean() -> int:
        ran.append(f"{clock.now():%H:%M}")
        return 2

    engine = VirtualEngine(build(clean, clock), clock=clock)
    for _ in range(3):  # as many processes start
        start(engine)
    engine.advance(hours=3)
    assert ran == ["12:20", "13:00", "14:00", "15:00"]
    (step,) = engine.search(name=NAME)
    assert (step.state, step.description) == ("8", "2 cleaned")


def test_an_hour_that_fails_is_made_up_for_and_the_next_one_comes() -> None:
    clock, ran = VirtualClock(BEGUN), []

    def clean() -> int:
        ran.append(f"{clock.now():%H:%M}")
        if len(ran) == 2:
            raise OSError("disk is busy")
        return 1

    engine = VirtualEngine(build(clean, clock), clock=clock)
    start(engine)
    engine.advance(hours=2)
    assert ran == ["12:20", "13:00", "13:01", "14:00"]
