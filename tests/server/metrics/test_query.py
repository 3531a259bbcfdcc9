"""Series, comparisons, rankings and causes, folded or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.server.metrics.conftest import Measure, Release
from tests.server.support import Api, drain, on_both, problem

from stepwell.server.app import Server
from stepwell.server.database.tables import (
    metrics_hourly,
    metrics_pending,
    metrics_rollups,
)
from stepwell.server.metrics import service
from stepwell.server.metrics.histogram import bucket
from stepwell.server.metrics.records import Wait

DAY = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
Fold = Callable[[], int]


def ask(api: Api, path: str = "query", days: float = 1, **query: Any) -> dict[str, Any]:
    over = {"from": DAY.isoformat(), "to": (DAY + timedelta(days=days)).isoformat()}
    answer = api("viewer").get(f"/metrics/{path}", params={**over, **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


NIGHTLY: dict[str, Any] = {"group": "weather", "workflow": "nightly"}


@on_both
def test_folding_changes_no_answer(server: Server, api: Api, measure: Measure, fold: Fold) -> None:
    """Whatever was folded, is not yet, or was counted by an earlier version."""
    measure(7, 3, at=DAY + HOUR, duration=10.0, cause="abc", sentence="x")
    measure(5, at=DAY + 2 * HOUR, duration=20.0, operation="load")
    before = [ask(api, **NIGHTLY), ask(api, "ranking", by="operation"), ask(api, "causes")]
    assert fold() == 15
    measure(2, 1, at=DAY + HOUR, duration=10.0)
    with server.db.write() as conn:
        old = {"succeeded": 4, "failed": 0, "other": 1, "duration_sum": 40.0}
        key = {"hour": DAY + HOUR, "group_name": "weather", "workflow": "nightly", "operation": ""}
        conn.execute(insert(metrics_hourly).values(**key, **old, histogram={bucket(10.0): 4}))
    mixed = ask(api, **NIGHTLY)
    assert fold() == 4
    folded = ask(api, **NIGHTLY)
    for answer in (*before, mixed, folded):
        answer.pop("as_of")
    assert mixed == folded
    assert (mixed["total"]["succeeded"], mixed["total"]["failed"]) == (13, 4)
    assert (before[0]["total"]["succeeded"], before[0]["total"]["failed"]) == (7, 3)
    with server.db.read() as conn:
        assert conn.execute(select(metrics_pending)).all() == []
        assert conn.execute(select(metrics_hourly)).all() == []


@on_both
def test_a_group_and_the_server_are_the_sum_of_their_workflows(
    api: Api, measure: Measure, fold: Fold
) -> None:
    measure(3, 1, at=DAY)
    measure(2, at=DAY, workflow="hourly")
    measure(5, at=DAY, group="other")
    measure(9, at=DAY, operation="load")
    fold()
    assert ask(api, group="weather")["total"]["judged"] == 6
    assert ask(api)["total"]["judged"] == 11
    assert ask(api, **NIGHTLY, operation="load")["total"]["succeeded"] == 9


def test_an_hour_is_a_point_up_to_a_week_and_a_day_beyond(api: Api, measure: Measure) -> None:
    measure(1, at=DAY)
    measure(1, at=DAY + HOUR)
    short, long = ask(api, days=7), ask(api, days=8)
    assert (short["step"], len(short["points"])) == ("hour", 2)
    assert (long["step"], len(long["points"])) == ("day", 1)
    assert ask(api, days=8, step="hour")["step"] == "hour"


def test_a_range_is_compared_with_the_one_before(api: Api, measure: Measure) -> None:
    measure(8, 2, at=DAY - HOUR, duration=10.0)
    measure(9, 1, at=DAY + HOUR, duration=20.0)
    answer = ask(api, **NIGHTLY, compare="true")
    assert answer["previous"]["failed"] == 2
    change = answer["change"]
    assert change["error_rate"] == pytest.approx(-0.1)
    assert (change["per_hour"], change["average"]) == (1.0, 2.0)
    assert change["p95"] == pytest.approx(2.0, rel=0.05)


def test_nothing_before_is_no_change(api: Api, measure: Measure) -> None:
    measure(1, at=DAY)
    assert set(ask(api, **NIGHTLY, compare="true")["change"].values()) == {None}


@on_both
def test_waits_are_split_by_reason(server: Server, api: Api, fold: Fold) -> None:
    def wait(reason: str, seconds: float) -> Wait:
        return Wait(at=DAY, group="weather", workflow="nightly", reason=reason, seconds=seconds)

    def write() -> None:
        with server.db.write() as conn:
            service.record(conn, [], [wait("limit", 30.0), wait("launching", 10.0)])

    write()
    fold()
    write()
    waits = ask(api, **NIGHTLY)["total"]["waits"]
    assert [(one["reason"], one["count"], one["seconds"], one["share"]) for one in waits] == [
        ("limit", 2, 60.0, 0.75),
        ("launching", 2, 20.0, 0.25),
    ]
    assert ask(api)["total"]["waits"] == waits


@on_both
def test_the_slowest_come_first_with_their_change(api: Api, measure: Measure, fold: Fold) -> None:
    measure(5, at=DAY - HOUR, operation="load", duration=10.0)
    measure(5, at=DAY, operation="load", duration=30.0)
    measure(5, at=DAY, operation="fetch", duration=5.0)
    fold()
    measure(5, at=DAY, operation="report", duration=90.0)
    rows = ask(api, "ranking", by="operation")["rows"]
    assert [row["operation"] for row in rows] == ["report", "load", "fetch"]
    assert rows[1]["change"]["average"] == pytest.approx(3.0)
    assert rows[1]["change"]["p95"] == pytest.approx(3.0, rel=0.05)
    assert rows[0]["duration"]["p95"] == pytest.approx(90.0, rel=0.025)
    assert [row["operation"] for row in ask(api, "ranking", by="operation", limit=1)["rows"]] == [
        "report"
    ]


@pytest.mark.parametrize(
    ("order", "first"),
    [("failed", "b"), ("count", "a"), ("error-rate", "b"), ("time", "c"), ("average", "c")],
)
def test_a_ranking_is_by_what_was_asked(api: Api, measure: Measure, order: str, first: str) -> None:
    measure(20, 1, at=DAY, workflow="a", duration=1.0)
    measure(2, 2, at=DAY, workflow="b", duration=1.0)
    measure(1, at=DAY, workflow="c", duration=500.0)
    assert ask(api, "ranking", order=order)["rows"][0]["workflow"] == first


@on_both
def test_37_failures_of_2_causes_are_two_rows(
    api: Api, measure: Measure, fold: Fold, release: Release
) -> None:
    release(1, at=DAY - HOUR)
    measure(0, 20, at=DAY, cause="abc", sentence="It broke.")
    fold()
    measure(0, 5, at=DAY + HOUR, cause="abc", sentence="It broke again.", workflow="hourly")
    measure(0, 12, at=DAY + 30 * HOUR, cause="def", sentence="It is late.")
    first, second = ask(api, "causes", days=2)["causes"]
    assert (first["cause"], first["count"], second["count"]) == ("abc", 25, 12)
    assert first["sentence"] == "It broke again."
    assert first["workflows"] == ["weather/hourly", "weather/nightly"]
    assert first["days"] == {"2026-03-10": 25}
    assert first["release"] == 1


def test_csv_has_a_line_for_each_point(api: Api, measure: Measure) -> None:
    measure(3, 1, at=DAY, duration=10.0)
    measure(1, at=DAY + HOUR, duration=20.0)
    answer = api("viewer").get(
        "/metrics/query",
        params={"from": DAY.isoformat(), "to": (DAY + 3 * HOUR).isoformat(), "format": "csv"},
    )
    assert answer.headers["content-type"].startswith("text/csv")
    first, second = csv.DictReader(io.StringIO(answer.text))
    assert (first["succeeded"], first["failed"], first["success_rate"]) == ("3", "1", "0.75")
    assert second["at"] == "2026-03-10T01:00:00+00:00"
    assert second["average"] == "20.0"


def test_releases_are_marked(api: Api, measure: Measure, release: Release) -> None:
    release(1, at=DAY + HOUR)
    measure(1, at=DAY)
    assert [one["number"] for one in ask(api, group="weather")["releases"]] == [1]
    assert ask(api, group="other")["releases"] == []


def test_a_renamed_workflow_keeps_what_was_measured(
    api: Api, measure: Measure, release: Release
) -> None:
    """Aliases are lineage for metrics (R37)."""
    release(1, at=DAY)
    measure(3, at=DAY)
    release(2, at=DAY + HOUR, entries={"each-night": {}}, renamed={"each-night": "nightly"})
    measure(2, at=DAY + 2 * HOUR, workflow="each-night")
    assert ask(api, group="weather", workflow="each-night")["total"]["judged"] == 5


@pytest.mark.parametrize(
    "query",
    [
        {"workflow": "nightly"},
        {"group": "weather", "operation": "load"},
        {"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z", "step": "hour"},
        {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    ],
)
def test_what_cannot_be_measured_is_refused(api: Api, query: dict[str, str]) -> None:
    problem(api("viewer").get("/metrics/query", params=query), 422, "invalid-input")


def test_the_servers_own_step_folds(server: Server, measure: Measure) -> None:
    measure(3)
    drain(server, patience=0.2)
    with server.db.read() as conn:
        assert conn.execute(select(metrics_pending)).all() == []
        spans = conn.execute(select(metrics_rollups.c.span)).scalars().all()
    assert sorted(spans) == sorted(["hour", "day", "all"] * 3)
