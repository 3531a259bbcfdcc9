"""What the room keeps for some time only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_

from stepwell.server.database.tables import deliveries, notification_threads, occasions
from stepwell.server.retention.records import of_rows
from stepwell.server.settings import Settings


def _days(settings: Settings) -> int:
    return settings.keep_failed_days


def _occasions(before: datetime) -> ColumnElement[bool]:
    return occasions.c.at < before


def _deliveries(before: datetime) -> ColumnElement[bool]:
    return and_(deliveries.c.created_at < before, deliveries.c.state != "waiting")


def _threads(before: datetime) -> ColumnElement[bool]:
    return notification_threads.c.told_at < before


KINDS: Final = (
    of_rows("occasions", "What people could be told of.", _days, occasions, _occasions),
    of_rows("deliveries", "The log of what was sent.", _days, deliveries, _deliveries),
    of_rows(
        "threads",
        "When each target heard of a cause last.",
        _days,
        notification_threads,
        _threads,
        least=31,
    ),
)
