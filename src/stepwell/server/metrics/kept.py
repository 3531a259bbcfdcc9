"""What the room keeps for some time only: sums over all time stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Table, and_

from stepwell.server.database.tables import metrics_causes, metrics_rollups, metrics_waits
from stepwell.server.metrics.spans import DAY, HOUR
from stepwell.server.retention.records import Kind, of_rows

HOURS_FOR: Final = 100
DAYS_FOR: Final = 800
"""Days for which hours and days are kept: a year, and the year before to compare with."""


def _kind(name: str, what: str, table: Table, span: str, days: int) -> Kind:
    return of_rows(name, what, lambda _: days, table, _old(table, span))


def _old(table: Table, span: str) -> Callable[[datetime], ColumnElement[bool]]:
    return lambda before: and_(table.c.span == span, table.c.start < before)


def _old_causes(before: datetime) -> ColumnElement[bool]:
    return metrics_causes.c.day < before


_FIGURES: Final = "Rates and durations {}; longer spans stay."
_WAITS: Final = "What runs waited for, {}; longer spans stay."

KINDS: Final = (
    _kind("metric-hours", _FIGURES.format("by the hour"), metrics_rollups, HOUR, HOURS_FOR),
    _kind("metric-days", _FIGURES.format("by the day"), metrics_rollups, DAY, DAYS_FOR),
    _kind("wait-hours", _WAITS.format("by the hour"), metrics_waits, HOUR, HOURS_FOR),
    _kind("wait-days", _WAITS.format("by the day"), metrics_waits, DAY, DAYS_FOR),
    of_rows(
        "metric-causes",
        "Causes of failed runs, by the day.",
        lambda _: DAYS_FOR,
        metrics_causes,
        _old_causes,
    ),
)
