"""The book of an engine's claims."""

from __future__ import annotations

from datetime import UTC, datetime

from stepwell.engine.held import Held, Holding
from stepwell.step import Step, new_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_answer_that_comes_after_the_burial_counts_for_nothing() -> None:
    """R11: another engine runs these steps by now."""
    held, buried, reborn = Held(), new_id(), new_id()
    step = Step(id=new_id(), name="v1/x", flow_id=new_id(), created_at=NOW, schedule_time=NOW)
    held.forget(buried)
    held.accept([Holding(step, buried, 0.0)])
    assert held.begin(0.0, slots=8) is None
    held.accept([Holding(step, reborn, 0.0)])
    assert held.begin(0.0, slots=8) is not None
