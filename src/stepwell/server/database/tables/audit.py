"""Who changed what."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from stepwell.server.database.tables.columns import Instant, id_column, metadata

audit = Table(
    "audit",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(60), nullable=False),
    Column("target", String(300), nullable=False),
    Column("reason", Text),
    Column("details", JSON(none_as_null=True)),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Column("address", String(64)),
    Index(None, "at", "id"),
)

audit_horizon = Table(
    "audit_horizon",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("before", Instant, nullable=False),
)
"""One row: entries from before that instant may be removed. Triggers refuse all other changes."""
