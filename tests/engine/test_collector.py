"""Where the outcomes of a burst come together."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

from stepwell.engine.collector import Collector
from stepwell.engine.committer import Answered, Ended
from stepwell.engine.held import Holding
from stepwell.ids import new_id
from stepwell.step import Step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT_ONCE = 0.0


def holding(burst: Collector | None) -> Holding:
    """A step of a burst."""
    step = Step(id=new_id(), name="v1/x", flow_id=new_id(), created_at=NOW, schedule_time=NOW)
    return Holding(step, new_id(), 0.0, burst=burst)


def ended(of: Holding) -> Ended:
    """Its outcome."""
    nobody: Any = Mock()
    return Ended(of, nobody, nobody)


def opened(steps: int) -> Collector:
    """A burst of so many steps."""
    collector = Collector()
    collector.expect(steps)
    return collector


def test_a_burst_without_steps_is_complete() -> None:
    assert opened(0).wait(AT_ONCE)


def test_a_burst_is_complete_when_all_of_its_steps_have_ended() -> None:
    collector = opened(2)
    first, second = holding(collector), holding(collector)
    assert collector.put(first, told := ended(first))
    assert not collector.wait(AT_ONCE)
    assert collector.put(second, last := ended(second))
    assert collector.wait(AT_ONCE)
    assert collector.close() == [told, last]


def test_steps_that_come_later_are_waited_for_too() -> None:
    """Those that were taken over begin before the claim, and may end before it as well."""
    collector = opened(1)
    taken, claimed = holding(collector), holding(collector)
    collector.put(taken, ended(taken))
    assert collector.wait(AT_ONCE)
    collector.expect(1)
    assert not collector.wait(AT_ONCE)
    collector.put(claimed, ended(claimed))
    assert collector.wait(AT_ONCE)


def test_a_step_of_an_earlier_burst_is_taken_in_and_not_waited_for() -> None:
    collector = opened(1)
    slow, own = holding(opened(1)), holding(collector)
    assert collector.put(slow, late := ended(slow))
    assert not collector.wait(AT_ONCE)
    collector.put(own, ended(own))
    assert collector.wait(AT_ONCE)
    assert collector.close()[0] is late


def test_what_the_store_has_answered_or_nobody_has_judged_counts_and_is_not_taken_in() -> None:
    """R26, and a step whose event loop is gone: the burst does not wait for it."""
    collector = opened(2)
    once, abandoned = holding(collector), holding(collector)
    assert not collector.put(once, Answered(once, None))
    assert not collector.put(abandoned, None)
    assert collector.wait(AT_ONCE)
    assert collector.close() == []


def test_after_its_end_a_burst_takes_nothing_in() -> None:
    """Somebody else is to settle it."""
    collector = opened(1)
    before = collector.is_open
    collector.close()
    late = holding(collector)
    assert (before, collector.is_open) == (True, False)
    assert not collector.put(late, ended(late))


def test_the_waiter_is_woken_by_the_last_step() -> None:
    collector = opened(300)
    steps = [holding(collector) for _ in range(300)]

    def end(part: list[Holding]) -> None:
        for one in part:
            collector.put(one, ended(one))

    threads = [threading.Thread(target=end, args=[steps[place::3]]) for place in range(3)]
    for thread in threads:
        thread.start()
    assert collector.wait(90)
    for thread in threads:
        thread.join(90.0)
    assert len(collector.close()) == 300
