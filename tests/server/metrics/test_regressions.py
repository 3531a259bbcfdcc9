"""A release that makes things worse is named; noise is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.server.metrics.conftest import Measure, Release
from tests.server.support import Api, on_both

from stepwell.server.metrics.histogram import bucket
from stepwell.server.metrics.regressions import Stage, compare
from stepwell.server.metrics.significance import chance
from stepwell.server.metrics.tallies import Tally

NOW = datetime.now(UTC)


def found(api: Api) -> list[dict[str, Any]]:
    answer = api("viewer").get("/metrics/regressions")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["regressions"])


@on_both
def test_a_release_that_fails_more_often_is_named(
    api: Api, measure: Measure, fold: Callable[[], int], release: Release
) -> None:
    one = release(1, digest="a", at=NOW - timedelta(days=9))
    two = release(2, digest="b", at=NOW - timedelta(days=2))
    measure(198, 2, at=NOW - timedelta(days=5), release_id=one, operation="load")
    measure(30, 10, at=NOW - timedelta(days=1), release_id=two, operation="load")
    fold()
    (regression,) = found(api)
    assert (regression["release"], regression["measure"]) == (2, "error_rate")
    assert (regression["operation"], regression["workflow"]) == ("load", "nightly")
    assert (regression["before"], regression["after"]) == (0.01, 0.25)
    assert regression["chance"] < 1e-6


@on_both
def test_a_release_that_is_slower_is_named(
    api: Api, measure: Measure, fold: Callable[[], int], release: Release
) -> None:
    one = release(1, digest="a", at=NOW - timedelta(days=9))
    two = release(2, digest="b", at=NOW - timedelta(days=2))
    for n in range(100):
        measure(1, at=NOW - timedelta(days=5), release_id=one, duration=10 + n / 20)
        measure(1, at=NOW - timedelta(days=1), release_id=two, duration=20 + n / 20)
    fold()
    (regression,) = found(api)
    assert (regression["release"], regression["measure"]) == (2, "p95")
    assert regression["before"] == pytest.approx(14.75, rel=0.03)
    assert regression["after"] == pytest.approx(24.75, rel=0.03)


def test_a_release_that_left_the_workflow_alone_brings_nothing(
    api: Api, measure: Measure, fold: Callable[[], int], release: Release
) -> None:
    """The digest is the same: what became worse has another reason."""
    one = release(1, digest="a", at=NOW - timedelta(days=9))
    two = release(2, digest="a", at=NOW - timedelta(days=2))
    measure(200, at=NOW - timedelta(days=5), release_id=one)
    measure(10, 30, at=NOW - timedelta(days=1), release_id=two)
    fold()
    assert found(api) == []


def tally(rng: random.Random, runs: int, error: float, scale: float) -> Tally:
    made = Tally()
    for _ in range(runs):
        made.count("failed" if rng.random() < error else "succeeded", rng.lognormvariate(0, scale))
    return made


def test_noise_is_not_reported() -> None:
    """Of 400 pairs of releases that are alike, hardly any is called worse."""
    rng = random.Random(20261126)
    stages = [
        Stage(n, NOW, str(n), {"": tally(rng, rng.randint(5, 300), 0.05, 0.5)}) for n in range(800)
    ]
    pairs = zip(stages[::2], stages[1::2], strict=True)
    wrong = [one for before, after in pairs for one in compare("g", "w", before, after)]
    assert len(wrong) <= 2


def test_a_change_is_seen_with_few_runs_if_it_is_large() -> None:
    before, after = Tally(), Tally()
    for _ in range(50):
        before.count("succeeded", 1.0)
    for _ in range(6):
        after.count("failed", 1.0)
    stages = Stage(1, NOW, "a", {"": before}), Stage(2, NOW, "b", {"": after})
    assert [one.measure for one in compare("g", "w", *stages)] == ["error_rate"]


def test_one_failure_is_no_regression() -> None:
    before, after = Tally(), Tally()
    for _ in range(50):
        before.count("succeeded", 1.0)
    for _ in range(9):
        after.count("succeeded", 1.0)
    after.count("failed", 1.0)
    stages = Stage(1, NOW, "a", {"": before}), Stage(2, NOW, "b", {"": after})
    assert list(compare("g", "w", *stages)) == []


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        # The lady tasting tea, and scipy.stats.fisher_exact(..., alternative="greater").
        ((1, 4, 3, 4), 17 / 70),
        ((0, 10, 5, 10), 0.01625387),
        ((0, 10, 0, 10), 1.0),
        ((3, 0, 1, 4), 1.0),
    ],
)
def test_the_chance_is_that_of_fishers_exact_test(
    sample: tuple[int, int, int, int], expected: float
) -> None:
    assert chance(*sample) == pytest.approx(expected, rel=1e-5)


def test_large_samples_are_judged_like_small_ones() -> None:
    """Where the sum becomes long, the normal distribution takes over without a jump."""
    exact, normal = chance(100, 9_900, 130, 10_000), chance(102, 10_098, 133, 10_200)
    assert normal == pytest.approx(exact, rel=0.35)


def test_a_bucket_is_not_slower_than_itself() -> None:
    one = Tally()
    one.histogram[bucket(5.0)] = 100
    one.succeeded = one.timed = 100
    stages = Stage(1, NOW, "a", {"": one}), Stage(2, NOW, "b", {"": one})
    assert list(compare("g", "w", *stages)) == []
