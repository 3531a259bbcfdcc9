"""Quantiles from a log-scale histogram stay within its stated error (R40)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.server.metrics.histogram import (
    RELATIVE_ERROR,
    SHORTEST,
    bucket,
    merged,
    middle,
    quantile,
)

DURATIONS = st.floats(min_value=SHORTEST, max_value=10 * 24 * 3600.0)


def histogram(durations: list[float]) -> dict[str, int]:
    return merged({bucket(one): 1} for one in durations)


@given(DURATIONS)
def test_a_bucket_stands_for_its_durations_within_the_stated_error(seconds: float) -> None:
    assert abs(middle(bucket(seconds)) - seconds) <= seconds * RELATIVE_ERROR * 1.0001


@given(st.lists(DURATIONS, min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_the_value_of_its_rank_within_the_stated_error(
    durations: list[float], share: float
) -> None:
    rank = max(1, math.ceil(share * len(durations) - 1e-9))
    exact = sorted(durations)[rank - 1]
    found = quantile(histogram(durations), share)
    assert found is not None
    assert abs(found - exact) <= exact * RELATIVE_ERROR * 1.0001


@given(st.lists(DURATIONS), st.lists(DURATIONS))
def test_merging_is_counting_together(some: list[float], others: list[float]) -> None:
    """So hours add up to days, whatever was counted where."""
    assert merged([histogram(some), histogram(others)]) == histogram(some + others)


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.95) is None


def test_what_takes_no_time_at_all_is_counted() -> None:
    assert middle(bucket(0.0)) == pytest.approx(SHORTEST, rel=RELATIVE_ERROR * 1.01)


def test_the_stated_error_is_below_two_and_a_half_percent() -> None:
    assert RELATIVE_ERROR < 0.025
