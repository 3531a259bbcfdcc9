"""Attempt number -> delay (R2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepwell.errors import InvalidInput
from stepwell.retry import CEILING, DEFAULT, NEVER, RetryPolicy


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 8), (3, 27), (10, 1000), (19, 6859)])
def test_the_default_delay_is_the_cube_of_the_failures(failures: int, seconds: int) -> None:
    assert DEFAULT.delay(failures) == seconds


@pytest.mark.parametrize("failures", [20, 1000, 10**9])
def test_the_default_delay_never_exceeds_two_hours(failures: int) -> None:
    assert DEFAULT.delay(failures) == CEILING == 7200


def test_the_default_has_no_limit_of_attempts() -> None:
    assert DEFAULT.allows(1_000_000, ValueError())


def test_never_fails_the_step_at_the_first_exception() -> None:
    assert not NEVER.allows(1, ValueError())


def test_attempts_count_executions_not_retries() -> None:
    policy = RetryPolicy(attempts=3)
    assert [policy.allows(n, ValueError()) for n in (1, 2, 3)] == [True, True, False]


def test_the_last_listed_delay_repeats() -> None:
    policy = RetryPolicy(delays=(1, 2, 5))
    assert [policy.delay(n) for n in (1, 2, 3, 4, 99)] == [1, 2, 5, 5, 5]


def test_an_empty_list_of_delays_means_at_once() -> None:
    assert RetryPolicy(delays=()).delay(3) == 0


def test_only_the_named_exceptions_are_retried() -> None:
    policy = RetryPolicy(on=(ConnectionError,))
    assert policy.allows(1, ConnectionResetError())
    assert not policy.allows(1, ValueError())


def test_jitter_adds_at_most_its_share() -> None:
    policy = RetryPolicy(delays=(10,), jitter=0.5)
    drawn = [policy.delay(1) for _ in range(500)]
    assert min(drawn) >= 10
    assert max(drawn) <= 15
    assert len(set(drawn)) > 1


@pytest.mark.parametrize(
    "slip",
    [
        {"attempts": 0},
        {"attempts": "3"},
        {"delays": 60},
        {"delays": (-1,)},
        {"delays": (timedelta(seconds=1),)},
        {"jitter": 20},
        {"on": (ConnectionError, "timeout")},
        {"on": ConnectionError()},
    ],
    ids=str,
)
def test_what_is_no_policy_is_refused_before_anything_fails(slip: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(slip))):
        RetryPolicy(**slip)


def test_one_exception_may_stand_alone_and_delays_in_a_list() -> None:
    given: dict[str, Any] = {"on": ConnectionError, "delays": [1, 2.5]}
    policy = RetryPolicy(**given)
    assert policy.allows(1, ConnectionError())
    assert policy.delay(7) == 2.5
