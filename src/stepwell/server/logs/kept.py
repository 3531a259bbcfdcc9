"""What the room keeps for some time only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from stepwell.server.logs import queries
from stepwell.server.logs.service import remove
from stepwell.server.retention.records import Kind
from stepwell.server.services import Services


def _sweep(services: Services, before: datetime, limit: int) -> int:
    with services.db.write() as conn:
        rows = queries.old(conn, before, limit)
        remove(conn, rows)
        return len(rows)


def _count(services: Services, before: datetime, limit: int) -> int:
    with services.db.read() as conn:
        return len(queries.old(conn, before, limit))


KINDS: Final = (
    Kind(
        "logs",
        "What runs have written. The runs, their operations and results stay.",
        lambda settings: settings.keep_log_days,
        _sweep,
        _count,
    ),
)
