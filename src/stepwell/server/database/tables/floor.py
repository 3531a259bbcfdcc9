"""Which older versions of Stepwell these tables still suit."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from stepwell.server.database.tables.columns import metadata

schema_floor = Table(
    "schema_floor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", String(32), nullable=False),
)
"""One row: a Stepwell whose newest migration is this one, or a later one, works with the tables."""
