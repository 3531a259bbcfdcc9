"""Log lines, and levels that are raised for a while."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from stepwell import Engine, Registry, done, new_step
from stepwell.errors import InvalidInput
from stepwell.events import emit
from stepwell.outcome import Outcome
from stepwell.stores.memory import MemoryStore
from stepwell.telemetry.log import LOG, log_events, raise_level, toggle_on_signal
from stepwell.testing.clock import VirtualClock


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not hasattr(record, "event"):
            return  # a remark beside the events
        self.found.append((record.levelno, record.getMessage()))

    def take(self) -> list[str]:
        """The events logged since the last call, by name."""
        taken, self.found = self.found, []
        return [text.split()[0] for _, text in taken]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, before = Lines(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    end = log_events()
    yield handler
    end()
    LOG.setLevel(before)
    LOG.removeHandler(handler)


def tell_all() -> None:
    emit("step.executed", step=1, name="v1/invoice/send")
    emit("step.executed", step=2, name="v1/mail")
    emit("engine.claimed", count=1)


def test_details_are_not_logged_and_troubles_are(lines: Lines) -> None:
    tell_all()
    emit("step.refused", step=1, name="v1/mail")
    emit("step.executed", step=1, name="v1/mail", error="ValueError: no")
    assert [level for level, _ in lines.found] == [logging.WARNING, logging.WARNING]
    assert lines.take() == ["step.refused", "step.executed"]


def test_a_raised_level_logs_details_until_its_instant_and_falls_back_by_itself(
    lines: Lines,
) -> None:
    clock = VirtualClock()
    raise_level(until=clock.now() + timedelta(minutes=10), clock=clock)
    tell_all()
    assert lines.take() == ["step.executed", "step.executed", "engine.claimed"]
    clock.advance(600)
    tell_all()
    assert lines.take() == []
    assert LOG.level == logging.INFO


def test_only_the_named_steps_and_events_are_raised(lines: Lines) -> None:
    until = VirtualClock().now() + timedelta(hours=1)
    clock = VirtualClock()
    end = raise_level("v1/invoice/", until=until, clock=clock)
    tell_all()
    assert [text for _, text in lines.found] == ["step.executed step=1 name=v1/invoice/send"]
    lines.take()
    end()
    end = raise_level("engine.", until=until, clock=clock)
    tell_all()
    assert lines.take() == ["engine.claimed"]
    end()


def test_two_raises_end_apart(lines: Lines) -> None:
    clock = VirtualClock()
    first = raise_level("v1/mail", until=clock.now() + timedelta(hours=1), clock=clock)
    second = raise_level("engine.", until=clock.now() + timedelta(hours=1), clock=clock)
    first()
    tell_all()
    assert lines.take() == ["engine.claimed"]
    second()
    tell_all()
    assert lines.take() == []


@pytest.mark.parametrize("until", [datetime(2030, 1, 1), VirtualClock().now() - timedelta(days=1)])
def test_an_instant_that_cannot_be_is_refused(until: datetime) -> None:
    with pytest.raises(InvalidInput):
        raise_level(until=until, clock=VirtualClock())


def test_a_signal_raises_the_level_and_the_next_one_lowers_it(lines: Lines) -> None:
    end = toggle_on_signal(signal.SIGUSR1)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        tell_all()
        assert len(lines.take()) == 3
        os.kill(os.getpid(), signal.SIGUSR1)
        tell_all()
        assert lines.take() == []
    finally:
        end()


def test_the_level_raised_by_a_signal_falls_back_by_itself(lines: Lines) -> None:
    clock = VirtualClock()
    end = toggle_on_signal(signal.SIGUSR1, clock=clock)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        tell_all()
        assert len(lines.take()) == 3
        clock.advance(600)
        tell_all()
        assert lines.take() == []
        os.kill(os.getpid(), signal.SIGUSR1)
        tell_all()
        assert len(lines.take()) == 3, "raised again, and not lowered"
    finally:
        end()


def test_an_engine_at_work_is_heard_in_detail(lines: Lines) -> None:
    registry = Registry()

    @registry.handler("v1/hello")
    def hello() -> Outcome:
        return done()

    engine = Engine(MemoryStore(), registry)
    engine.add(new_step("v1/hello"))
    end = raise_level("v1/hello", until=datetime.max.replace(tzinfo=VirtualClock().now().tzinfo))
    engine.drain()
    end()
    expected = {"engine.started", "step.started", "step.executed", "engine.stopped"}
    assert set(lines.take()) == expected
