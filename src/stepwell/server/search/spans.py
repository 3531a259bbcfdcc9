"""Durations and instants as people write them in a query."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from stepwell.server.search.language import Clause, QueryInvalid

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhdw])")
_LONGEST: Final = 100 * 366 * 86400.0


def seconds(clause: Clause) -> float:
    """`90s`, `5m`, `1h30m`, `2d`; raises `QueryInvalid`."""
    text = clause.values[0]
    parts = _PART.findall(text)
    amount = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if len(clause.values) > 1 or "".join(map("".join, parts)) != text or amount > _LONGEST:
        raise QueryInvalid(
            f"{','.join(clause.values)!r} is no duration.",
            clause.column,
            why="A duration is a number and one of s, m, h, d, w.",
            fix=f"Write it as {clause.key}{clause.operator}90s, 5m, 1h30m or 2d.",
        )
    return amount


def instant(clause: Clause, now: datetime) -> datetime:
    """An age before now, or an instant; one without a zone is UTC. Raises `QueryInvalid`."""
    text = clause.values[0]
    if _PART.match(text):
        return now - timedelta(seconds=seconds(clause))
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryInvalid(
            f"{text!r} is neither an age nor an instant.",
            clause.column,
            fix=f"Write it as {clause.key}:2h, {clause.key}:2026-01-31 "
            f"or {clause.key}:2026-01-31T06:00Z.",
        ) from error
