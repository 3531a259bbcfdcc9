"""Jitter: due instants moved by the same amount wherever they are computed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.schedules import Cron, Every, Once, Schedule, ScheduleInvalid, from_json

BEGIN = datetime(2026, 3, 28, 20, tzinfo=UTC)

specs: st.SearchStrategy[Schedule] = st.one_of(
    st.builds(Every, seconds=st.sampled_from((1, 45, 600)), jitter=st.integers(0, 2000)),
    st.builds(
        Cron,
        st.sampled_from(("*/10 * * * *", "30 2 * * *", "0,20 1-3 * * *")),
        st.just("Europe/Oslo"),
        jitter=st.integers(0, 86_400),
    ),
)


@settings(max_examples=100, deadline=None)
@given(specs, st.text(max_size=5), st.integers(0, 40))
def test_each_planned_instant_is_due_once_in_order_and_before_the_next(
    spec: Schedule, key: str, skipped: int
) -> None:
    spec = spec.keyed(key)
    pairs = list(islice(spec.with_planned(BEGIN), 42))
    planned, moved = [one for one, _ in pairs], [one for _, one in pairs]
    assert planned == list(islice(spec.planned(planned[0] - timedelta(seconds=1)), 42))
    for at, due, following in zip(planned, moved, planned[1:], strict=False):
        assert at <= due < following
        assert due - at < timedelta(seconds=max(spec.jitter, 1))
    assert spec.next_after(moved[skipped]) == moved[skipped + 1], "where one asks is no matter"


def test_two_schedules_are_not_moved_alike_and_one_is_always_moved_alike() -> None:
    spec = Every(hours=1, jitter=1800)
    one, same, other = (list(islice(spec.keyed(k).fires(BEGIN), 9)) for k in ("a", "a", "b"))
    assert one == same != other


def test_the_last_one_stays_before_the_end() -> None:
    end = BEGIN + timedelta(seconds=3)
    [only] = Once(BEGIN + timedelta(seconds=1), jitter=600, end=end).fires(BEGIN)
    assert only < end


def test_json_and_words_have_it_only_where_there_is_one() -> None:
    spec = Cron("0 7 * * *", jitter=300, exclude=("holidays:NO",))
    assert from_json(spec.as_json()) == spec
    assert (
        spec.describe()
        == "At 07:00 every day (UTC), up to 5 min later, except on days of holidays:NO"
    )
    assert not {"jitter", "exclude"} & set(Cron("0 7 * * *").as_json())


@pytest.mark.parametrize("jitter", [-1, 86_401, 1.5, True, "5"])
def test_a_jitter_is_a_whole_number_of_seconds_up_to_a_day(jitter: object) -> None:
    with pytest.raises(ScheduleInvalid, match="jitter"):
        Every(hours=1, jitter=jitter)  # type: ignore[arg-type]
