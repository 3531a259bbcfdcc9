"""The burst on a cluster that starts pods at once says what the server adds."""

from __future__ import annotations

import pytest
from benchmarks.kubernetes import burst

pytestmark = pytest.mark.slow


def test_a_burst_keeps_to_its_limit_and_costs_four_requests_a_run() -> None:
    """What it measures is really there to be measured."""
    found = burst(count=12, limit=3, lives=0.1)
    assert 1 <= found["most at once"] <= 3
    one_for_all = {kind for kind, share in found["requests"].items() if share < 0.5}
    assert {kind: found["requests"][kind] for kind in set(found["requests"]) - one_for_all} == {
        "POST jobs": 1.0,
        "POST secrets": 1.0,
        "PATCH jobs": 1.0,
        "READ pods/log": 1.0,
    }
    for what in ("go", "launch", "hand-over to go", "hand-over to pod"):
        assert 0 < found[f"{what} p50, ms"] <= found[f"{what} p99, ms"]
