"""Who changed what."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table, Text

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
    Index(None, "at", "id"),
)
