"""How much an engine takes in."""

from __future__ import annotations

from itertools import cycle
from unittest.mock import PropertyMock, patch

from tests.engine.signals import wait_for

from stepwell import Engine, Registry, new_step
from stepwell.engine.intake import moved, smoothed
from stepwell.engine.runner import Runner
from stepwell.stores.memory import MemoryStore


def test_an_average_stays_above_zero_and_follows() -> None:
    average = 1.0
    for _ in range(1000):
        average = smoothed(average, 0.0)
        assert average > 0
    assert average < 0.001
    assert smoothed(1.0, 3.0) > 1.0


def test_a_median_follows_what_most_handlers_take_and_no_few_slow_ones() -> None:
    """Of one in a hundred the average would say a thousand times as much; they come together."""
    median = 1.0
    for _ in range(1000):
        median = moved(median, 0.0)
    assert 0 < median < 0.0001
    for _ in range(10):
        median = moved(median, 1.0)
    assert median < 0.001
    for _ in range(1000):
        median = moved(median, 1.0)
    assert 0.5 < median < 2.0


def test_an_average_that_others_move_meanwhile_is_read_once() -> None:
    """Two readings of a falling average make a negative one, and then there is room for
    nothing, for ever."""
    registry = Registry()
    registry.handler("v1/x")(lambda: None)
    engine = Engine(MemoryStore(), registry, workers=1)
    readings = cycle([1e-5, 1.0, 1.0])  # so that any two in a row come
    with patch.object(Runner, "average", new_callable=PropertyMock, create=True) as average:
        average.side_effect = lambda *given: None if given else next(readings)
        with engine:
            engine.add_many(new_step("v1/x") for _ in range(50))
            wait_for(lambda: engine.tally.done == 50)
        written = [call.args[0] for call in average.call_args_list if call.args]
    assert len(written) > 50
    assert min(written) > 0
