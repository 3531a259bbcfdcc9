"""What a handler returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from stepwell.errors import InvalidInput
from stepwell.outcome import KEEP, Done, Fail, Skip, done, fail, rerun, skip
from stepwell.step import new_step


def test_done_carries_result_description_and_next_steps() -> None:
    step = new_step("v1/next")
    assert done(7, next=step, description="sent") == Done(
        result=7, description="sent", next=(step,)
    )


def test_done_without_anything_has_the_result_none() -> None:
    assert done() == Done(result=None, description=None, next=())


def test_fail_and_skip_say_why_and_may_carry_steps() -> None:
    step = new_step("v1/next")
    assert fail("no such customer", next=[step]) == Fail(
        description="no such customer", next=(step,)
    )
    assert skip("nothing new", next=[step]) == Skip(description="nothing new", next=(step,))


def test_a_rerun_keeps_the_state_by_default() -> None:
    assert rerun().state is KEEP


def test_a_rerun_may_set_the_state_to_none() -> None:
    """`None` is a value, not the absence of one (R4)."""
    assert rerun(None).state is None


def test_a_rerun_takes_an_instant_and_turns_it_to_utc() -> None:
    at = datetime(2026, 7, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    assert rerun(at=at).at == datetime(2026, 7, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize("after", [90, 90.0, timedelta(seconds=90)])
def test_a_rerun_takes_a_delay_in_seconds_or_as_timedelta(after: float | timedelta) -> None:
    assert rerun(after=after).after == timedelta(seconds=90)


def test_a_rerun_at_once_has_neither_instant_nor_delay() -> None:
    again = rerun()
    assert (again.at, again.after) == (None, None)


def test_a_rerun_with_both_instant_and_delay_is_refused() -> None:
    with pytest.raises(InvalidInput, match="either at= or after="):
        rerun(at=datetime(2026, 7, 1, tzinfo=UTC), after=1)


def test_a_rerun_at_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has no time zone"):
        rerun(at=datetime(2026, 7, 1))
