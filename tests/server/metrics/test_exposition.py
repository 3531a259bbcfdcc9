"""Prometheus reads the same numbers as the API, with bounded labels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.server.metrics.conftest import Measure
from tests.server.support import Api, on_both

from stepwell.server.app import Server
from stepwell.server.metrics import exposition, service
from stepwell.server.metrics.records import Wait


def read(api: Api, role: str | None = "viewer") -> httpx.Response:
    found: httpx.Response = api(role).get("http://testserver/metrics")
    return found


def samples(api: Api) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name and label values, in the order of the labels' names -> value."""
    answer = read(api)
    assert answer.status_code == 200, answer.text
    return {
        (one.name, tuple(one.labels[name] for name in sorted(one.labels))): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


@on_both
def test_it_counts_what_the_api_counts(
    server: Server, api: Api, measure: Measure, fold: Callable[[], int]
) -> None:
    measure(7, 3, duration=10.0)
    measure(1, operation="load")
    with server.db.write() as conn:
        about: dict[str, Any] = {"at": datetime.now(UTC), "group": "weather", "workflow": "x"}
        service.record(conn, [], [Wait(reason="limit", seconds=12.0, **about)])
    fold()
    found = samples(api)
    assert found["stepwell_runs_total", ("weather", "succeeded", "nightly")] == 7
    assert found["stepwell_runs_total", ("weather", "failed", "nightly")] == 3
    assert found["stepwell_run_duration_seconds_count", ("weather", "nightly")] == 10
    assert found["stepwell_run_duration_seconds_sum", ("weather", "nightly")] == 100.0
    assert found["stepwell_run_duration_seconds_bucket", ("weather", "5.0", "nightly")] == 0
    assert found["stepwell_run_duration_seconds_bucket", ("weather", "15.0", "nightly")] == 10
    assert found["stepwell_run_wait_seconds_total", ("weather", "limit")] == 12.0
    assert found["stepwell_open_runs", ("running",)] == 0
    assert found["stepwell_schedule_lag_seconds", ()] == 0


def test_it_needs_a_token_of_a_viewer(api: Api) -> None:
    assert read(api, None).status_code == 401
    assert read(api, "viewer").status_code == 200


def test_many_workflows_are_counted_by_group(
    api: Api, measure: Measure, fold: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a server with thousands of workflows does not flood Prometheus."""
    monkeypatch.setattr(exposition, "MOST_WORKFLOWS", 3)
    for n in range(4):
        measure(2, workflow=f"w{n}")
    fold()
    runs = {
        labels: n for (name, labels), n in samples(api).items() if name == "stepwell_runs_total"
    }
    assert {labels[2] for labels in runs} == {""}
    assert runs["weather", "succeeded", ""] == 8


def test_without_prometheus_client_it_says_what_to_install(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition, "find_spec", lambda _: None)
    answer = read(api)
    assert answer.json()["code"] == "exposition-unavailable"
    assert "stepwell[prometheus]" in answer.json()["fix"]


def test_buckets_are_cumulated() -> None:
    counted = dict(exposition.cumulated({"0": 1, "150": 2, "400": 3}))
    values = list(counted.values())
    assert values == sorted(values)
    assert counted["+Inf"] == 6.0
