"""Rates and durations from hourly roll-ups, through the API (R40)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.server.support import Api, on_both

from stepwell.server.app import Server
from stepwell.server.metrics import service
from stepwell.server.metrics.records import Ending
from stepwell.step import EndedAs

HOUR = datetime(2026, 3, 29, 7, tzinfo=UTC)
RANGE = {"from": HOUR.isoformat(), "to": (HOUR + timedelta(hours=3)).isoformat()}


def ending(
    operation: str = "load",
    ended_as: EndedAs = EndedAs.DONE,
    duration: float = 1.0,
    after: timedelta = timedelta(),
    group: str = "weather",
) -> Ending:
    at = HOUR + after
    return Ending(
        at=at,
        group=group,
        workflow="nightly",
        operation=operation,
        ended_as=ended_as,
        duration=duration,
    )


def record(server: Server, *endings: Ending) -> None:
    with server.db.write() as conn:
        service.record(conn, endings)


def ask(api: Api, **query: Any) -> dict[str, Any]:
    answer = api("viewer").get("/metrics", params={**RANGE, **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@on_both
def test_rates_have_their_numerators_and_denominators(server: Server, api: Api) -> None:
    """What was skipped or cancelled is counted apart, and judges nobody."""
    kinds = [EndedAs.DONE] * 3 + [EndedAs.FAILED, EndedAs.SKIPPED, EndedAs.CANCELLED]
    record(server, *(ending(ended_as=kind) for kind in kinds))
    (total,) = ask(api)["totals"]
    assert (total["succeeded"], total["failed"], total["other"]) == (3, 1, 2)
    assert (total["judged"], total["success_rate"], total["error_rate"]) == (4, 0.75, 0.25)


@pytest.mark.parametrize("seconds", [1.02, 0.98, 372.0])
@pytest.mark.parametrize("count", [1, 3])
def test_of_runs_that_took_equally_long_no_quantile_is_below_the_average(
    server: Server, api: Api, seconds: float, count: int
) -> None:
    """A bucket's middle may be; and who has seen one run has seen how long it took."""
    record(server, *[ending(duration=seconds)] * count)
    (total,) = ask(api)["totals"]
    exactly = pytest.approx(seconds)
    assert total["duration"] == dict.fromkeys(("average", "p50", "p95", "p99"), exactly)


def test_quantiles_span_hours_and_come_from_the_stored_histograms(server: Server, api: Api) -> None:
    """The p95 of two hours is not the mean of two p95s."""
    quick = [ending(duration=1.0) for _ in range(95)]
    slow = [ending(duration=100.0, after=timedelta(hours=1)) for _ in range(5)]
    record(server, *quick, *slow)
    answer = ask(api)
    (total,) = answer["totals"]
    assert total["duration"]["average"] == pytest.approx(5.95)
    assert total["duration"]["p50"] == pytest.approx(1.0, rel=0.025)
    assert total["duration"]["p95"] == pytest.approx(1.0, rel=0.025)
    assert total["duration"]["p99"] == pytest.approx(100.0, rel=0.025)
    assert [hour["succeeded"] for hour in answer["hours"]] == [95, 5]
    assert [hour["hour"] for hour in answer["hours"]] == [
        "2026-03-29T07:00:00Z",
        "2026-03-29T08:00:00Z",
    ]


def test_runs_and_operations_are_counted_apart(server: Server, api: Api) -> None:
    """A workflow's own line has no operation."""
    record(server, ending(service.RUN), ending("load"), ending("fetch"))
    names = [total["operation"] for total in ask(api)["totals"]]
    assert names == [None, "fetch", "load"]
    assert [one["operation"] for one in ask(api, operation="load")["totals"]] == ["load"]
    assert [one["operation"] for one in ask(api, operation="")["totals"]] == [None]


def test_a_range_includes_its_first_hour_and_excludes_its_last(server: Server, api: Api) -> None:
    for hours in (-1, 0, 2, 3):
        record(server, ending(after=timedelta(hours=hours)))
    assert ask(api)["totals"][0]["succeeded"] == 2


def test_groups_can_be_asked_for_alone(server: Server, api: Api) -> None:
    record(server, ending(), ending(group="other"))
    assert [one["group"] for one in ask(api, group="other")["totals"]] == ["other"]
    assert ask(api, group="nobody")["totals"] == []


def test_nothing_measured_has_no_rate(server: Server, api: Api) -> None:
    """Not zero, not one: nobody knows."""
    record(server, ending(ended_as=EndedAs.SKIPPED))
    (total,) = ask(api)["totals"]
    assert (total["success_rate"], total["error_rate"]) == (None, None)
    assert total["duration"] == {"average": None, "p50": None, "p95": None, "p99": None}


@pytest.mark.parametrize(
    "query",
    [
        {"from": RANGE["to"], "to": RANGE["from"]},
        {"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"from": "yesterday"},
        {"from": "2026-01-01T00:00:00"},
    ],
)
def test_a_range_that_cannot_be_is_refused(api: Api, query: dict[str, str]) -> None:
    answer = api("viewer").get("/metrics", params={**RANGE, **query})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


@on_both
def test_two_who_count_at_once_lose_nothing(server: Server, api: Api) -> None:
    """The row of an hour is locked while it is added to."""

    def count() -> None:
        for _ in range(10):
            record(server, ending("load"), ending("fetch"))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [total["succeeded"] for total in ask(api)["totals"]] == [40, 40]
