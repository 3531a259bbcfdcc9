"""Outcome + execution -> settlement, without any I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepwell import FailStep, RetryPolicy, done, fail, new_step, rerun, skip
from stepwell.codec import JSON, MAX_BYTES, Codec
from stepwell.engine.judgement import (
    MOST_CHARACTERS,
    Facts,
    as_outcome,
    describe,
    failed_with,
    judge,
    judge_error,
    storable,
)
from stepwell.errors import HandlerInvalid, NotEncodable, SettlementRejected, ValueTooLarge
from stepwell.ids import new_id
from stepwell.outcome import Outcome
from stepwell.registry import Handler
from stepwell.retry import DEFAULT
from stepwell.step import EndedAs, Step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Known:
    """An execution that has ended."""

    step: Step
    handler: Handler
    codec: Codec
    started_at: datetime
    duration: float
    executed_by: str


def facts(
    *, retry: RetryPolicy = DEFAULT, exhausted: Any = None, failures: int = 0, **fields: Any
) -> Facts:
    step_id = new_id()
    step = Step(
        id=step_id,
        name="v1/x",
        flow_id=new_id(),
        created_at=NOW,
        schedule_time=NOW,
        failure_count=failures,
        claim_no=7,
        **fields,
    )
    return Known(
        step=step,
        handler=Handler(lambda: None, ("v1/x",), {}, False, retry, exhausted),
        codec=JSON,
        started_at=NOW,
        duration=2.0,
        executed_by="me",
    )


def boom(message: str = "boom") -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("outcome", "ended_as"),
    [
        (done(), EndedAs.DONE),
        (skip("nothing new"), EndedAs.SKIPPED),
        (fail("no"), EndedAs.FAILED),
        (rerun(), None),
    ],
)
def test_each_outcome_has_its_end(outcome: Outcome, ended_as: EndedAs | None) -> None:
    assert judge(facts(), outcome).ended_as is ended_as


def test_a_settlement_carries_the_claim_the_duration_and_what_was_seen() -> None:
    known = facts(activation_no=3)
    settlement = judge(known, done(1))
    assert settlement.claim == known.step.claim
    assert settlement.activation_seen == 3
    assert (settlement.execution_duration, settlement.executed_by) == (2.0, "me")


def test_a_spawned_step_inherits_flow_and_correlation_and_knows_its_parent() -> None:
    known = facts(correlation_id="order-7")
    (addition,) = judge(known, done(next=new_step("v1/y", {"a": 1}))).additions
    assert addition.step.flow_id == known.step.flow_id
    assert addition.step.correlation_id == "order-7"
    assert addition.step.created_by_step_id == known.step.id
    assert addition.step.state == '{"a":1}'


def test_a_rerun_keeps_its_state_unless_one_is_given_and_none_is_a_value() -> None:
    """R4."""
    assert judge(facts(), rerun()).keep_state
    changed = judge(facts(), rerun(state=None))
    assert (changed.keep_state, changed.state) == (False, "null")


def test_a_rerun_after_a_delay_counts_from_the_end_of_the_execution() -> None:
    assert judge(facts(), rerun(after=10)).schedule_time == NOW + timedelta(seconds=12)


@pytest.mark.parametrize(("failures", "delay"), [(0, 1), (1, 8), (2, 27), (30, 7200)])
def test_an_exception_waits_for_the_cube_of_the_failures_in_a_row(
    failures: int, delay: int
) -> None:
    """R2."""
    settlement = judge_error(facts(failures=failures), boom())
    assert settlement.ended_as is None
    assert settlement.failure_count == failures + 1
    assert settlement.schedule_time == NOW + timedelta(seconds=2 + delay)
    assert settlement.keep_state
    assert settlement.keep_activation


def test_any_returned_outcome_resets_the_failures() -> None:
    assert judge(facts(failures=4), rerun()).failure_count == 0


def test_fail_step_fails_at_once_with_its_own_steps() -> None:
    settlement = judge_error(facts(), FailStep("bad order", next=[new_step("v1/refund")]))
    assert settlement.ended_as is EndedAs.FAILED
    assert settlement.description == "bad order"
    assert [addition.step.name for addition in settlement.additions] == ["v1/refund"]


def test_when_attempts_are_used_up_the_step_fails_with_the_error() -> None:
    settlement = judge_error(facts(retry=RetryPolicy(attempts=3), failures=2), boom())
    assert settlement.ended_as is EndedAs.FAILED
    assert settlement.description is not None
    assert settlement.description.startswith("ValueError: boom")


def test_when_attempts_are_used_up_the_handler_may_decide_the_end() -> None:
    known = facts(
        retry=RetryPolicy(attempts=1),
        exhausted=lambda step, error: fail("gave up", next=new_step("v1/next")),
    )
    settlement = judge_error(known, boom())
    assert settlement.description == "gave up"
    assert len(settlement.additions) == 1


def test_an_exception_outside_the_policy_is_not_retried() -> None:
    settlement = judge_error(facts(retry=RetryPolicy(on=(KeyError,))), boom())
    assert settlement.ended_as is EndedAs.FAILED


def test_a_result_over_the_limit_is_refused_with_the_remedy() -> None:
    """R4."""
    with pytest.raises(ValueTooLarge, match="keep its key"):
        judge(facts(), done("x" * MAX_BYTES))


@pytest.mark.parametrize("outcome", [done, fail, skip, rerun])
def test_a_description_over_the_limit_is_refused_with_the_remedy(outcome: Any) -> None:
    with pytest.raises(ValueTooLarge, match="description of v1/x"):
        judge(facts(), outcome(description="x" * (MAX_BYTES + 1)))


@pytest.mark.parametrize("outcome", [done, fail, skip, rerun])
def test_a_character_that_no_database_keeps_does_not_undo_an_outcome(outcome: Any) -> None:
    """It comes out of some file or answer, by way of an exception's message."""
    settlement = judge(facts(), outcome(description="a\x00b\ud800", next=new_step("v1/next")))
    assert settlement.description == "a\ufffdb?"
    assert len(settlement.additions) == 1


def test_a_page_in_an_exceptions_message_is_cut() -> None:
    """With each try it would be written once more."""
    text = describe(ValueError("<html>" + "x" * 5_000_000))
    assert text.startswith("ValueError: <html>xxx")
    assert text.endswith("... (5,000,006 characters)")
    assert len(text) < MOST_CHARACTERS + 100


def test_a_result_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(NotEncodable):
        judge(facts(), done(object()))


def test_a_rejected_settlement_becomes_a_bare_failure_that_says_why() -> None:
    settlement = failed_with(facts(), SettlementRejected("No.", why="Because."))
    assert settlement.ended_as is EndedAs.FAILED
    assert settlement.description == "No. Because."
    assert settlement.additions == ()


def test_none_means_done_and_anything_else_is_an_error() -> None:
    handler = facts().handler
    assert as_outcome(None, handler) == done()
    with pytest.raises(HandlerInvalid, match="returned a int"):
        as_outcome(5, handler)


def test_an_error_is_described_by_the_users_own_frames() -> None:
    text = describe(boom())
    assert "test_judgement.py" in text
    assert "in boom: raise ValueError(message)" in text


def test_what_no_database_keeps_is_replaced_in_descriptions() -> None:
    assert storable("a\x00b\ud800c") == "a\ufffdb?c"


def test_a_description_stays_unless_the_handler_gives_one_or_it_is_an_old_error() -> None:
    kept = facts(description="invoice 7")
    assert judge(kept, done()).description == "invoice 7"
    assert judge(kept, rerun()).description == "invoice 7"
    assert judge(kept, done(description="sent")).description == "sent"
    assert judge(facts(description="ValueError: no", failures=1), done()).description is None
