"""What Prometheus reads: `GET /metrics`, with a token of the role viewer.

The numbers are those of the API: counters and histograms come from the roll-ups over
all time, so they are the same on each server, and survive its restart. Labels are bounded:
beyond `MOST_WORKFLOWS` workflows are counted by group only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Annotated, Any, Final

from fastapi import Response
from sqlalchemy import Connection, func, select

from stepwell import clock
from stepwell.errors import SetupError
from stepwell.server.access.records import Role
from stepwell.server.database.tables import deliveries, runs, schedules, target_misses
from stepwell.server.http import Call, Router, reads
from stepwell.server.metrics import queries
from stepwell.server.metrics.histogram import middle
from stepwell.server.metrics.records import JsonObject

MOST_WORKFLOWS: Final = 500
MOST_SERIES: Final = 1000
BOUNDS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
"""Seconds."""

router = Router(root="", tags=["metrics"])


class ExpositionUnavailable(SetupError):
    """The server has no prometheus-client."""

    code = "exposition-unavailable"


@router.get("/metrics", include_in_schema=False)
def exposition(call: Annotated[Call, reads(Role.VIEWER)]) -> Response:
    """The server's metrics in the text format of Prometheus."""
    if find_spec("prometheus_client") is None:
        raise ExpositionUnavailable(
            "This server cannot answer Prometheus.",
            why="prometheus-client is not installed.",
            fix="Run: pip install 'stepwell[prometheus]'",
        )
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - as just looked for
    from prometheus_client.exposition import (  # noqa: PLC0415
        CONTENT_TYPE_LATEST,
        generate_latest,
    )

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(list(families(call.conn, clock.now()))))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Collected:
    """Of prometheus-client's `Collector`: what was collected before."""

    def __init__(self, found: list[Any]) -> None:
        self._found = found

    def collect(self) -> Iterable[Any]:
        """All families."""
        return self._found


def families(conn: Connection, now: datetime) -> Iterator[Any]:
    """Every metric family."""
    queries.together(conn)
    rows = queries.totals(conn, workflows=True, limit=MOST_WORKFLOWS + 1)
    if len(rows) > MOST_WORKFLOWS:
        rows = queries.totals(conn, workflows=False, limit=MOST_SERIES)
    yield from _ended(rows)
    yield from _waits(queries.wait_totals(conn, MOST_SERIES))
    yield from _gauges(conn, now)


def _ended(rows: Iterable[Any]) -> Iterator[Any]:
    from prometheus_client.metrics_core import (  # noqa: PLC0415 - optional
        CounterMetricFamily,
        HistogramMetricFamily,
    )

    where = ["group", "workflow"]
    counts = CounterMetricFamily(
        "stepwell_runs", "Runs that have ended.", labels=[*where, "outcome"]
    )
    retries = CounterMetricFamily(
        "stepwell_run_retries", "Further attempts of runs, and re-executions.", labels=where
    )
    durations = HistogramMetricFamily(
        "stepwell_run_duration_seconds", "How long runs took.", labels=where
    )
    for row in rows:
        names = [row["group_name"], row["workflow"]]
        for outcome in ("succeeded", "failed", "other"):
            counts.add_metric([*names, outcome], row[outcome])
        retries.add_metric(names, row["retried"])
        durations.add_metric(names, cumulated(row["histogram"]), row["duration_sum"])
    yield from (counts, retries, durations)


def cumulated(histogram: Mapping[str, int]) -> list[tuple[str, float]]:
    """How many took at most each bound, to the accuracy of the log-scale buckets."""
    found = [
        (str(bound), float(sum(n for key, n in histogram.items() if middle(key) <= bound)))
        for bound in BOUNDS
    ]
    return [*found, ("+Inf", float(sum(histogram.values())))]


def _waits(rows: Iterable[Any]) -> Iterator[Any]:
    from prometheus_client.metrics_core import CounterMetricFamily  # noqa: PLC0415 - optional

    where = ["group", "reason"]
    seconds = CounterMetricFamily(
        "stepwell_run_wait_seconds", "For how long runs have waited.", labels=where
    )
    counts = CounterMetricFamily("stepwell_run_waits", "How often runs waited.", labels=where)
    for row in rows:
        seconds.add_metric([row["group_name"], row["reason"]], row["seconds"])
        counts.add_metric([row["group_name"], row["reason"]], row["count"])
    yield from (seconds, counts)


def _gauges(conn: Connection, now: datetime) -> Iterator[Any]:
    from prometheus_client.metrics_core import GaugeMetricFamily  # noqa: PLC0415 - optional

    open_runs = GaugeMetricFamily("stepwell_open_runs", "Runs under way.", labels=["state"])
    for state, count in _open_runs(conn):
        open_runs.add_metric([state], count)
    missed = GaugeMetricFamily(
        "stepwell_target_missed", "1 while missed.", labels=["group", "workflow", "objective"]
    )
    for row in conn.execute(select(target_misses).limit(MOST_SERIES)).mappings():
        missed.add_metric([row["group_name"], row["workflow"], row["objective"]], 1)
    yield from (open_runs, missed)
    for name, meaning, value in _single(conn, now):
        yield GaugeMetricFamily(name, meaning, value=value)


def _single(conn: Connection, now: datetime) -> Iterator[tuple[str, str, float]]:
    due = conn.execute(select(func.min(schedules.c.next_due)).where(schedules.c.active)).scalar()
    late = 0.0 if due is None else max((now - due).total_seconds(), 0.0)
    yield "stepwell_schedule_lag_seconds", "Age of the oldest due instant not acted on.", late
    waiting = select(func.count()).where(deliveries.c.state == "waiting")
    count = conn.execute(waiting).scalar_one()
    yield "stepwell_notifications_waiting", "Notifications to be sent, or sent again.", count


def _open_runs(conn: Connection) -> list[tuple[str, int]]:
    states = ("waiting", "starting", "running", "cancelling")
    query = select(runs.c.state, func.count()).where(runs.c.state.in_(states))
    counted: JsonObject = {row[0]: row[1] for row in conn.execute(query.group_by(runs.c.state))}
    return [(state, counted.get(state, 0)) for state in states]
