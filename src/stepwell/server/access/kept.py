"""What the room keeps for some time only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement

from stepwell.server.database.tables import answers
from stepwell.server.retention.records import of_rows


def _old(before: datetime) -> ColumnElement[bool]:
    return answers.c.created_at < before


KINDS: Final = (
    of_rows(
        "answers",
        "What was answered under an idempotency key.",
        lambda _: 1,
        answers,
        _old,
    ),
)
