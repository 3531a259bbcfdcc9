"""Lists of runs stay quick among a million of them: a page takes under 100 ms."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator

import pytest
from benchmarks.many_runs import QUERIES, client_of
from starlette.testclient import TestClient
from tests.millions import MillionRuns
from tests.server.live import without_fsync

from stepwell.server.app import Server
from stepwell.server.settings import Settings


@pytest.fixture(scope="module")
def million(
    tmp_path_factory: pytest.TempPathFactory, million_runs: MillionRuns
) -> Iterator[TestClient]:
    """Who asks a server that has a million runs of 90 days."""
    folder = tmp_path_factory.mktemp("million")
    million_runs.copy(folder / "stepwell.db")
    server = without_fsync(Server(Settings(data_dir=folder, run_engine=False), launchers={}))
    with server:
        yield client_of(server)
    shutil.rmtree(folder)  # more than a gigabyte


@pytest.mark.slow
@pytest.mark.parametrize("query", QUERIES)
def test_a_page_of_runs_among_a_million_takes_under_100_ms(million: TestClient, query: str) -> None:
    """Of this process's own time, since other tests run beside it; the best of ten, as these
    also take from its caches."""
    best = math.inf
    for _ in range(10):
        begun = time.process_time()
        answer = million.get("runs", params={"q": query})
        best = min(best, time.process_time() - begun)
        assert answer.status_code == 200, answer.text
        if best < 0.1:
            break
    assert best < 0.1
