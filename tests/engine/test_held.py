"""The book of an engine's claims."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stepwell.engine.held import Held, Holding
from stepwell.step import Step, new_id

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

    def holding(burst: int, *, by_lock: bool) -> Holding:
        return Holding(replace(step, id=new_id()), engine, 0.0, by_lock, burst)

    begun, locked = holding(2, by_lock=True), holding(2, by_lock=True)
    written, earlier = holding(2, by_lock=False), holding(1, by_lock=True)
    held.accept([begun, locked, written, earlier])
    assert held.begin(0.0, slots=8) is begun
    assert held.withdraw(2) == [locked]
    assert (held.waiting, len(held)) == (2, 3)
