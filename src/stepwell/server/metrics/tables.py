"""Series as CSV, for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from stepwell.server.metrics.records import Figures, Measured, Ranking

_COUNTS: Final = ("succeeded", "failed", "other", "retried", "judged")
_RATES: Final = ("success_rate", "error_rate")
_SECONDS: Final = ("average", "p50", "p95", "p99")


def series(measured: Measured) -> str:
    """A line for each point; durations in seconds."""
    rows = ((one.at.isoformat(), *_cells(one)) for one in measured.points)
    return _text(("at",), rows)


def ranking(found: Ranking) -> str:
    """A line for each row of a ranking."""
    rows = ((one.group, one.workflow, one.operation, *_cells(one)) for one in found.rows)
    return _text(("group", "workflow", "operation"), rows)


def _cells(one: Figures) -> list[Any]:
    counts = [getattr(one, name) for name in (*_COUNTS, *_RATES)]
    return counts + [getattr(one.duration, name) for name in _SECONDS]


def _text(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, *_COUNTS, *_RATES, *_SECONDS])
    writer.writerows(rows)
    return text.getvalue()
