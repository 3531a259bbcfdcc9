"""Who is dead is decided by what an engine has itself seen (R10)."""

from __future__ import annotations

from uuid import uuid4

from stepwell.engine.heartbeat import DEAD_AFTER, Watch

OTHER = uuid4()


def readings(watch: Watch, beats: list[int], *, gap: float = 1.0, begin: float = 0.0) -> list[bool]:
    """Whether OTHER was judged dead at each reading, `gap` seconds apart."""
    return [
        bool(watch.observe({OTHER: beat}, begin + place * gap)) for place, beat in enumerate(beats)
    ]


def test_an_unchanged_counter_for_eight_seconds_is_dead() -> None:
    verdicts = readings(Watch(), [5] * 10)
    assert verdicts.index(True) == DEAD_AFTER


def test_a_counter_that_moves_is_alive_however_slowly() -> None:
    assert not any(readings(Watch(), [n // 7 for n in range(60)]))


def test_the_verdict_names_the_beat_that_was_seen() -> None:
    watch = Watch()
    readings(watch, [3] * 8)
    assert watch.observe({OTHER: 3}, 8.0) == [(OTHER, 3)]


def test_a_gap_in_the_reading_forgets_what_was_seen() -> None:
    """A watcher that slept, or lost the store, cannot tell who beat meanwhile."""
    watch = Watch()
    readings(watch, [5] * 8)
    assert watch.observe({OTHER: 5}, 10.5) == []
    assert not any(readings(watch, [5] * 7, begin=11.5))


def test_an_engine_that_left_is_forgotten() -> None:
    watch = Watch()
    readings(watch, [5] * 8)
    watch.observe({}, 8.0)
    assert watch.observe({OTHER: 5}, 9.0) == []
