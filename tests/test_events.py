"""The engine's only voice."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from stepwell.events import Event, emit, span, subscribe


@pytest.fixture
def heard() -> Iterator[list[Event]]:
    events: list[Event] = []
    end = subscribe(events.append)
    yield events
    end()


def test_every_listener_hears_name_and_fields(heard: list[Event]) -> None:
    emit("step.done", step="7", seconds=0.5)
    assert heard == [Event("step.done", {"step": "7", "seconds": 0.5})]


def test_any_word_may_be_the_name_of_a_field(heard: list[Event]) -> None:
    emit("step.done", name="v1/x")
    assert heard[0].fields == {"name": "v1/x"}


def test_a_listener_that_ended_hears_nothing_more(heard: list[Event]) -> None:
    other: list[Event] = []
    end = subscribe(other.append)
    end()
    emit("step.done")
    assert (len(heard), len(other)) == (1, 0)


def test_ending_twice_is_harmless() -> None:
    end = subscribe(lambda event: None)
    end()
    end()


def test_a_listener_subscribed_twice_ends_once_each_time() -> None:
    events: list[Event] = []
    ends = [subscribe(events.append) for _ in range(2)]
    ends[0]()
    emit("step.done")
    ends[1]()
    emit("step.done")
    assert len(events) == 1


def test_a_listener_that_raises_stops_nobody(
    heard: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ValueError("no disk")

    with ExitStack() as stack, caplog.at_level(logging.ERROR, "stepwell.events"):
        stack.callback(subscribe(broken))
        stack.callback(subscribe(heard.append))
        emit("step.done")
    assert len(heard) == 2
    assert "failed on step.done" in caplog.text


def test_a_span_tells_its_duration_when_it_ends(heard: list[Event]) -> None:
    with span("claim", queue="default") as more:
        assert heard == []
        more["rows"] = 3
    fields = dict(heard[0].fields)
    assert fields.pop("duration") >= 0
    assert fields == {"queue": "default", "rows": 3}


def test_a_span_tells_the_error_and_lets_it_pass(heard: list[Event]) -> None:
    with pytest.raises(ValueError, match="no disk"), span("claim"):
        raise ValueError("no disk")
    assert heard[0].fields["error"] == "ValueError: no disk"
