"""For how long each kind of things is kept, where somebody has decided so."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from stepwell.server.database.tables.columns import Instant, metadata

retention_policies = Table(
    "retention_policies",
    metadata,
    Column("kind", String(60), primary_key=True),
    Column("days", Integer),
    Column("reason", Text),
    Column("changed_by", String(100), nullable=False),
    Column("changed_at", Instant, nullable=False),
)
