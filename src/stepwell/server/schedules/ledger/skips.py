"""Instants that somebody asked to skip: kept with the schedule until the ledger has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stepwell.schedules.base import iso
from stepwell.schedules.ledger import Why
from stepwell.server.schedules.queries import Row


def of(row: Row) -> dict[datetime, str]:
    """Instant -> why it is skipped, as the ledger will say it."""
    return {datetime.fromisoformat(one["due"]): one["why"] for one in row["skips"] or ()}


def passed(row: Row, next_due: datetime | None) -> dict[str, Any]:
    """The column's new value once everything before `next_due` is entered; empty if it stays."""
    asked = row["skips"] or []
    left = [one for one in asked if next_due and datetime.fromisoformat(one["due"]) >= next_due]
    return {} if len(left) == len(asked) else {"skips": left or None}


def with_more(row: Row, instants: list[datetime], reason: str | None, by: str) -> dict[str, Any]:
    """The column's new value with more instants to skip."""
    why = f"{Why.REQUEST} of {by}" + (f": {reason}" if reason else "")
    more = [{"due": iso(at), "why": why[:500], "by": by} for at in instants]
    return {"skips": [*(row["skips"] or ()), *more]}
