"""What the room keeps for some time only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement

from stepwell.server.database.tables import changes
from stepwell.server.retention.records import of_rows


def _old(before: datetime) -> ColumnElement[bool]:
    return changes.c.at < before


KINDS: Final = (
    of_rows(
        "changes",
        "What live views were told; a view that comes back later than that starts anew.",
        lambda _: 1,
        changes,
        _old,
    ),
)
