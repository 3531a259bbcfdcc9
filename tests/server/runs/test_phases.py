"""Where a run's time went: pieces without gaps, by the instants that its attempts keep (R40)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from stepwell.server.runs.phases import phases, totals

BEGIN = datetime(2026, 1, 31, 7, 30, tzinfo=UTC)


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else BEGIN + timedelta(seconds=seconds)


def attempt(number: int, *instants: float | None, **fields: Any) -> dict[str, Any]:
    names = ("queued_at", "launched_at", "started_at", "finished_at")
    given = dict(zip(names, map(at, instants), strict=True))
    return {"number": number, "waited_for": None, "lined_up_at": None, **given, **fields}


def run(**fields: Any) -> dict[str, Any]:
    given = {"created_at": BEGIN, "finished_at": None, "waiting_code": None, "state": "running"}
    return {**given, **fields}


def told(header: dict[str, Any], *attempts: dict[str, Any], now: float) -> list[tuple[Any, ...]]:
    instant = at(now)
    assert instant is not None
    found = phases(header, attempts, instant)
    for one, following in pairwise(found):
        assert one.finished_at == following.started_at, "there is no gap"
    return [(one.name.value, one.attempt, one.seconds, one.finished_at is None) for one in found]


def test_a_run_that_was_not_launched_is_queued() -> None:
    assert told(run(state="waiting"), now=5) == [("queued", 1, 5.0, True)]


def test_an_attempt_goes_through_its_phases() -> None:
    assert told(run(), attempt(1, 2, 3, 7, None), now=20) == [
        ("queued", 1, 2.0, False),
        ("scheduling", 1, 1.0, False),
        ("starting", 1, 4.0, False),
        ("running", 1, 13.0, True),
    ]


def test_what_lies_between_attempts_is_named_after_what_was_waited_for() -> None:
    second = attempt(2, 100, 101, 102, 110, waited_for="retry", lined_up_at=at(90))
    header = run(state="succeeded", finished_at=at(110))
    assert told(header, attempt(1, 0, 1, 2, 10), second, now=500) == [
        ("scheduling", 1, 1.0, False),
        ("starting", 1, 1.0, False),
        ("running", 1, 8.0, False),
        ("retry wait", 2, 80.0, False),
        ("queued", 2, 10.0, False),
        ("scheduling", 2, 1.0, False),
        ("starting", 2, 1.0, False),
        ("running", 2, 8.0, False),
    ]


def test_an_attempt_that_never_started_ends_in_the_phase_that_it_had_reached() -> None:
    header = run(state="failed", finished_at=at(9))
    assert told(header, attempt(1, 0, 1, None, 9), now=50) == [
        ("scheduling", 1, 1.0, False),
        ("starting", 1, 8.0, False),
    ]


def test_a_run_that_waits_for_a_reviewer_says_so_and_totals_add_up() -> None:
    header = run(state="waiting", waiting_code="approval")
    found = phases(header, [attempt(1, 0, 1, 2, 10)], BEGIN + timedelta(seconds=70))
    assert {name.value: seconds for name, seconds in totals(found).items()} == {
        "scheduling": 1.0,
        "starting": 1.0,
        "running": 8.0,
        "approval": 60.0,
    }
