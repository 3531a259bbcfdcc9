"""The table of occasions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert

from stepwell.server.database.tables import occasions


def add_occasion(conn: Connection, **values: Any) -> None:
    """Insert an occasion."""
    conn.execute(insert(occasions).values(**values))
