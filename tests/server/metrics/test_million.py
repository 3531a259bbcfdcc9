"""A question about 90 days of a million runs is answered in under 200 ms."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.metrics_data import fill
from benchmarks.metrics_query import questions

from stepwell import clock
from stepwell.server.database.session import Database

NOW = clock.now()


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("million") / "metrics.db"
    made = Database(f"sqlite:///{path}")
    made.migrate()
    fill(made, NOW)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("question", questions(NOW))
def test_a_question_about_90_days_of_a_million_runs_takes_under_200_ms(
    million: Database, question: str
) -> None:
    """Of this process's own time, since other tests run beside it; the best of ten, as these
    also take from its caches."""
    best = math.inf
    for _ in range(10):
        begun = time.process_time()
        with million.read() as conn:
            questions(NOW)[question](conn).model_dump_json()
        best = min(best, time.process_time() - begun)
        if best < 0.2:
            break
    assert best < 0.2
