"""What a run's rows mean for the run (R32, R15); nothing here touches a store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.server.runs.support import operation, workflow

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.server.runs.judgement import executions, judge, losses, lost_with, ready
from stepwell.server.runs.records import RunState
from stepwell.step import EndedAs, Step

PREFIX = "v1/weather/nightly/"
FLOW = new_id()


def row(name: str, ended_as: EndedAs | None = EndedAs.DONE, **fields: Any) -> Step:
    given = {"id": new_id(), "flow_id": FLOW, "created_at": now(), "schedule_time": now()}
    return Step(name=PREFIX + name, ended_as=ended_as, **{**given, **fields})


ALL = ("fetch", "load", "report")


def test_a_run_succeeds_when_every_operation_is_done() -> None:
    verdict = judge(workflow(), PREFIX, [row(name) for name in ALL])
    assert (verdict.state, verdict.reason, verdict.warnings) == (RunState.SUCCEEDED, None, 0)


def test_a_halting_operation_that_fails_fails_the_run_with_its_own_words() -> None:
    rows = [row("fetch"), row("load", EndedAs.FAILED, description="ValueError: no rows\n  at x")]
    verdict = judge(workflow(), PREFIX, rows)
    assert verdict.state is RunState.FAILED
    assert verdict.reason == "The operation load failed: ValueError: no rows"


def test_what_does_not_halt_is_a_warning_and_so_is_what_was_skipped() -> None:
    entry = workflow(operation("fetch", halt_on_error=False), operation("load"))
    rows = [row("fetch", EndedAs.FAILED), row("load", EndedAs.SKIPPED)]
    verdict = judge(entry, PREFIX, rows)
    assert (verdict.state, verdict.warnings) == (RunState.SUCCEEDED, 2)
    assert verdict.reason is not None


def test_the_last_operation_may_fail_without_halting_too() -> None:
    entry = workflow(operation("fetch"), operation("load", halt_on_error=False))
    verdict = judge(entry, PREFIX, [row("fetch"), row("load", EndedAs.FAILED)])
    assert (verdict.state, verdict.warnings) == (RunState.SUCCEEDED, 1)


def test_an_operation_that_never_ran_fails_the_run() -> None:
    """A container that ends the flow early has not succeeded."""
    verdict = judge(workflow(), PREFIX, [row("fetch")])
    assert (verdict.state, verdict.reason) == (RunState.FAILED, "The operation load never ran.")


def test_an_operation_that_was_cancelled_by_hand_fails_the_run() -> None:
    verdict = judge(workflow(), PREFIX, [row("fetch", EndedAs.CANCELLED, description="by ann")])
    assert verdict.reason == "The operation fetch was cancelled: by ann"


def test_the_newest_row_of_an_operation_counts() -> None:
    """A re-executed copy takes the place of the one that failed."""
    rows = [row("fetch", EndedAs.FAILED), row("fetch"), row("load"), row("report")]
    assert judge(workflow(), PREFIX, rows).state is RunState.SUCCEEDED
    assert judge(workflow(), PREFIX, rows[::-1]).state is RunState.SUCCEEDED


def test_steps_that_the_operations_have_added_do_not_count() -> None:
    rows = [*(row(name) for name in ALL), row("extra", EndedAs.FAILED)]
    assert judge(workflow(), PREFIX, rows).state is RunState.SUCCEEDED


def test_the_first_that_is_due_stands_in_front() -> None:
    late = row("load", None, schedule_time=now() + timedelta(hours=1))
    soon = row("report", None)
    assert ready([late, soon, row("fetch")]) == [soon, late]


@pytest.mark.parametrize(
    ("fields", "before", "lost"),
    [
        ({"claimed_by": new_id()}, 0, True),
        ({}, 0, True),
        ({"execution_count": 1}, 0, False),
        ({"execution_count": 1}, 1, True),
        ({"schedule_time": now() + timedelta(hours=1)}, 0, False),
        ({"schedule_time": now() + timedelta(hours=1), "claimed_by": new_id()}, 0, True),
    ],
)
def test_a_step_is_lost_with_a_claim_or_without_a_single_execution(
    fields: dict[str, Any], before: int, lost: bool
) -> None:
    """A container that ran it once and ended for a retry has lost nothing (R15)."""
    step = row("fetch", None, **fields)
    assert bool(lost_with([step], {str(step.id): before}, now())) is lost
    assert executions([step]) == {str(step.id): step.execution_count}


def test_a_step_that_waits_for_others_is_not_lost_and_stands_last() -> None:
    """R28: it could not be claimed, so no container can have lost it."""
    due = row("load", None, schedule_time=now() - timedelta(seconds=5))
    join = row("join", None, schedule_time=now() - timedelta(seconds=9), waiting_for=1)
    assert ready([join, due]) == [due, join]
    assert lost_with([join, due], {}, now()) == [due]


def test_losses_count_the_attempts_that_have_lost_that_step() -> None:
    step, other = new_id(), new_id()
    exits = [{"lost": [str(step)]}, None, {}, {"lost": [str(other), str(step)]}]
    assert (losses(step, exits), losses(other, exits)) == (2, 1)
