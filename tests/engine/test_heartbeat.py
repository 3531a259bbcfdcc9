"""Who is dead is decided by what an engine has itself seen (R10)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest

from stepwell import Engine, Registry, clock
from stepwell.clock import StoreClock
from stepwell.engine import heartbeat
from stepwell.engine.heartbeat import DEAD_AFTER, FRESH, Heartbeat, Watch
from stepwell.engine.held import Held
from stepwell.engine.pauses import Pauses
from stepwell.errors import StoreUnavailable
from stepwell.events import Event, subscribe
from stepwell.stores.memory import MemoryStore
from stepwell.testing.clock import VirtualClock

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


def test_the_next_verdict_is_about_who_was_not_seen_to_live() -> None:
    """Whoever has beaten once may die later; nobody waits for that."""
    watch = Watch()
    assert watch.verdict_in(0.0) is None
    readings(watch, [5] * 3)
    assert watch.verdict_in(3.0) == DEAD_AFTER - 3.0
    watch.observe({OTHER: 6}, 3.0)
    assert watch.verdict_in(3.0) is None
    watch.observe({OTHER: 6, uuid4(): 1}, 4.0)
    assert watch.verdict_in(4.5) == DEAD_AFTER - 0.5


class Slow(MemoryStore):
    """A store whose answers are long on their way."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        super().__init__(clock)
        self._way, self._seconds = clock, seconds

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """As ever, and then its answer takes its time."""
        with super().transaction() as tx:
            yield tx
        self._way.advance(self._seconds)


@pytest.mark.parametrize("seconds", [0.0, FRESH + 1])
def test_joining_is_confirmed_as_of_when_it_was_asked_for(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R14, as any beat is; nor does a slow answer bend the clock (R17)."""
    monkeypatch.setattr(Heartbeat, "start", lambda self: None)
    clock = VirtualClock()
    engine = Engine(Slow(clock, seconds), Registry(), clock=clock)
    with engine:
        assert engine._heartbeat.fresh() is (seconds == 0.0)
        assert engine._time.now() == clock.now()


def test_who_has_joined_so_slowly_that_nothing_may_begin_beats_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And not after another interval."""
    monkeypatch.setattr(heartbeat, "INTERVAL", 1e6)
    clock, beaten = VirtualClock(), threading.Event()
    store: Any = MemoryStore(clock)
    made = Heartbeat(store, StoreClock(clock), Held(), Pauses(()), *[Mock()] * 4)
    monkeypatch.setattr(made, "_beat", lambda engine_id: beaten.set())
    asked = StoreClock(clock).reading()
    clock.advance(FRESH + 1)
    made.born(OTHER, Mock(now=clock.now(), beats={}, paused=()), asked)
    made.start()
    assert beaten.wait(90)
    made.stop()


def test_a_beat_that_fails_says_why_in_the_words_of_the_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It said "cannot be used at the moment", every second, of a disk that was full."""
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.01)
    failed, told = threading.Event(), list[str]()

    def hear(event: Event) -> None:
        if event.name == "engine.beat_failed":
            told.append(event.fields["error"])
            failed.set()

    full = StoreUnavailable("It cannot.", why="The disk is full.", fix="Act.")
    store: Any = MemoryStore()
    made = Heartbeat(store, StoreClock(VirtualClock()), Held(), Pauses(()), *[Mock()] * 4)
    monkeypatch.setattr(made, "_beat", Mock(side_effect=full))
    made.born(OTHER, Mock(now=clock.now(), beats={}, paused=()), StoreClock().reading())
    end = subscribe(hear)
    made.start()
    assert failed.wait(90)
    made.stop()
    end()
    assert told[0] == "It cannot. The disk is full. Act."
