"""Count what ends, in the transaction that ends it; add up what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import InvalidInput
from stepwell.server.metrics import moving, queries
from stepwell.server.metrics.histogram import bucket, merged, quantile
from stepwell.server.metrics.records import Durations, Ending, Figures, Hour, Metrics, Total
from stepwell.step import EndedAs

RUN: Final = ""
"""The operation under which a workflow's runs are counted."""

_COUNTED: Final = {EndedAs.DONE: "succeeded", EndedAs.FAILED: "failed"}
_LONGEST: Final = timedelta(days=366)
_COUNTS: Final = ("succeeded", "failed", "other")


def record(conn: Connection, endings: Iterable[Ending]) -> None:
    """Add endings to their hours. Rows are locked in key order, so two callers cannot deadlock."""
    for ending in sorted(endings, key=lambda one: (one.group, one.workflow, one.operation)):
        _count(conn, ending)


def _count(conn: Connection, ending: Ending) -> None:
    key = {
        "hour": _hour(ending.at),
        "group_name": ending.group,
        "workflow": ending.workflow,
        "operation": ending.operation,
    }
    row = queries.locked(conn, **key)
    column = _COUNTED.get(ending.ended_as, "other")
    values: dict[str, Any] = {column: row[column] + 1}
    if column != "other":  # what was skipped or cancelled says nothing about how long it takes
        values["duration_sum"] = row["duration_sum"] + ending.duration
        values["histogram"] = merged([row["histogram"], {bucket(ending.duration): 1}])
    queries.replace(conn, values, **key)


def move(conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]) -> None:
    """Give what was counted of a workflow and its operations their new names (R37).

    Parameters
    ----------
    operations : new name -> old name.
    """
    moving.move(conn, group, old, new, operations)


def measured(
    conn: Connection,
    first: datetime | None,
    last: datetime | None,
    *,
    group: str | None = None,
    workflow: str | None = None,
    operation: str | None = None,
) -> Metrics:
    """Figures per hour and in total; the last 24 hours by default.

    Raises
    ------
    InvalidInput : a range that ends before it begins, or is longer than a year.
    """
    now = clock.now()
    to = _ceiling(last or now)
    since = _hour(first or to - timedelta(hours=24))
    _check(since, to)
    wanted = {"group_name": group, "workflow": workflow, "operation": operation}
    rows = queries.between(conn, since, to, **wanted)
    return Metrics(from_=since, to=to, as_of=now, totals=_totals(rows), hours=_hours(rows))


def _totals(rows: Sequence[Any]) -> list[Total]:
    by_name: dict[tuple[str, str, str], list[Any]] = {}
    for row in rows:
        by_name.setdefault((row["group_name"], row["workflow"], row["operation"]), []).append(row)
    return [
        Total(**_names(of[0]), **_figures(of).model_dump()) for _, of in sorted(by_name.items())
    ]


def _hours(rows: Sequence[Any]) -> list[Hour]:
    return [Hour(hour=row["hour"], **_names(row), **_figures([row]).model_dump()) for row in rows]


def _names(row: Any) -> dict[str, Any]:
    operation = row["operation"] or None
    return {"group": row["group_name"], "workflow": row["workflow"], "operation": operation}


def _figures(rows: Sequence[Any]) -> Figures:
    counts = {name: sum(row[name] for row in rows) for name in _COUNTS}
    judged = counts["succeeded"] + counts["failed"]
    return Figures(
        **counts,
        judged=judged,
        success_rate=counts["succeeded"] / judged if judged else None,
        error_rate=counts["failed"] / judged if judged else None,
        duration=_durations(rows, judged),
    )


def _durations(rows: Sequence[Any], judged: int) -> Durations:
    histogram = merged(row["histogram"] for row in rows)
    total = sum(row["duration_sum"] for row in rows)
    return Durations(
        average=total / judged if judged else None,
        p50=quantile(histogram, 0.50),
        p95=quantile(histogram, 0.95),
        p99=quantile(histogram, 0.99),
    )


def _check(first: datetime, last: datetime) -> None:
    if last <= first or last - first > _LONGEST:
        raise InvalidInput(
            f"From {first.isoformat()} to {last.isoformat()} cannot be measured.",
            why="A range ends after it begins, and is at most 366 days long.",
            fix="Correct from= and to=.",
        )


def _hour(instant: datetime) -> datetime:
    return clock.as_utc(instant).replace(minute=0, second=0, microsecond=0)


def _ceiling(instant: datetime) -> datetime:
    hour = _hour(instant)
    return hour if hour == instant else hour + timedelta(hours=1)
