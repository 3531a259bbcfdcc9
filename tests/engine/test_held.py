"""The book of an engine's claims."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stepwell.engine.collector import Collector
from stepwell.engine.held import Held, Holding
from stepwell.ids import new_id
from stepwell.step import Step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def step() -> Step:
    """A claimed row."""
    return Step(id=new_id(), name="v1/x", flow_id=new_id(), created_at=NOW, schedule_time=NOW)


def test_an_answer_that_comes_after_the_burial_counts_for_nothing() -> None:
    """R11: another engine runs these steps by now."""
    held, buried, reborn = Held(), new_id(), new_id()
    step = Step(id=new_id(), name="v1/x", flow_id=new_id(), created_at=NOW, schedule_time=NOW)
    held.forget(buried)
    held.accept([Holding(step, buried, 0.0)])
    assert held.begin(0.0, slots=8) is None
    held.accept([Holding(step, reborn, 0.0)])
    assert held.begin(0.0, slots=8) is not None


def _step(claim_no: int = 1) -> Step:
    made = Step(id=new_id(), name="v1/x", flow_id=new_id(), created_at=NOW, schedule_time=NOW)
    return replace(made, claim_no=claim_no)


def _running(held: Held, holding: Holding) -> Holding:
    held.accept([holding])
    assert held.begin(0.0, slots=8) is holding
    return holding


def test_what_is_lost_is_told_once() -> None:
    held, step = Held(), _step()
    running = _running(held, Holding(step, new_id(), 0.0))
    assert held.disown([step.claim]) == [running]
    assert held.disown([step.claim]) == []


def test_what_has_ended_meanwhile_is_not_lost() -> None:
    """Its settlement is on its way, and may be the reason why the claim holds no more."""
    held, step = Held(), _step()
    held.ended(_running(held, Holding(step, new_id(), 0.0)))
    assert held.disown([step.claim]) == []
    assert len(held) == 1


def test_a_claim_that_stands_on_no_row_is_not_asked_about() -> None:
    """A burst holds it by a lock, or has lost that; it may still be written (R14)."""
    held = Held()
    by_lock = _running(held, Holding(_step(), new_id(), 0.0, by_lock=True))
    assert held.long_running(now=10.0) == []
    by_lock.by_lock = False
    assert held.long_running(now=10.0) == [by_lock.claim]


def test_a_step_that_was_taken_away_and_claimed_here_again_is_lost_to_its_first_run() -> None:
    held, step, engine = Held(), _step(), new_id()
    first = _running(held, Holding(step, engine, 0.0))
    second = _running(held, Holding(replace(step, claim_no=2), engine, 1.0))
    assert held.disown([]) == [first]
    assert held.disown([]) == []
    assert held.holdings_running() == [second]


def test_what_was_reserved_is_not_lost_when_it_is_accepted() -> None:
    held, spawned = Held(), Holding(_step(), new_id(), 0.0)
    held.reserve([spawned])
    _running(held, spawned)
    assert held.disown([]) == []


def test_what_is_reserved_is_no_stranger_and_does_not_begin(step: Step) -> None:
    """R13, R21: it has been taken over, and waits for the next burst."""
    held, holding = Held(), Holding(step, new_id(), 0.0)
    held.reserve([holding])
    assert held.strangers([step.claim]) == []
    assert held.begin(0.0, slots=8) is None
    held.accept([holding])
    assert held.begin(0.0, slots=8) is holding


def test_a_step_whose_lock_was_lost_does_not_begin_again_under_the_same_number(step: Step) -> None:
    """R14: it runs, or its outcome is on its way."""
    held, engine = Held(), new_id()
    held.accept([Holding(step, engine, 0.0)])
    assert held.begin(0.0, slots=8) is not None
    held.accept([Holding(step, engine, 0.0)])
    assert held.begin(0.0, slots=8) is None
    held.accept([Holding(replace(step, claim_no=step.claim_no + 1), engine, 0.0)])
    assert held.begin(0.0, slots=8) is not None


def test_only_unstarted_locks_of_the_burst_are_withdrawn(step: Step) -> None:
    held, engine = Held(), new_id()
    this, other = Collector(), Collector()

    def holding(burst: Collector, *, by_lock: bool) -> Holding:
        return Holding(replace(step, id=new_id()), engine, 0.0, by_lock, burst)

    begun, locked = holding(this, by_lock=True), holding(this, by_lock=True)
    written, earlier = holding(this, by_lock=False), holding(other, by_lock=True)
    held.accept([begun, locked, written, earlier])
    assert held.begin(0.0, slots=8) is begun
    assert held.withdraw(this) == [locked]
    assert (held.waiting, len(held)) == (2, 3)


def test_what_an_open_burst_has_locked_is_not_given_back(step: Step) -> None:
    """No claim on it is written that could be: the burst lets go of it itself."""
    held, burst = Held(), Collector()
    held.accept([locked := Holding(step, new_id(), 0.0, True, burst)])
    assert held.give_back(float("inf")) == []
    burst.close()
    assert held.give_back(float("inf")) == [locked]


def test_a_step_whose_lock_was_lost_is_not_reserved_under_the_same_number(step: Step) -> None:
    """R14: nor does its second claim begin when it is accepted."""
    held, engine = Held(), new_id()
    held.accept([Holding(step, engine, 0.0)])
    begun = held.begin(0.0, slots=8)
    again = Holding(step, engine, 0.0)
    held.reserve([again])
    held.accept([again])
    assert held.holdings_running() == [begun]
    assert held.begin(0.0, slots=8) is None
