"""Actions on many runs, and how far they have come."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text, Uuid

from stepwell.server.database.tables.columns import Instant, id_column, metadata

bulk = Table(
    "bulk",
    metadata,
    id_column(),
    Column("action", String(20), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("query", Text),
    Column("ids", JSON(none_as_null=True)),
    Column("state", String(20), nullable=False),
    Column("total", Integer, nullable=False),
    Column("more", Boolean, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("failures", JSON, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("after_at", Instant),
    Column("after_id", Uuid),
    Column("reason", Text, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index(None, "created_at", "id"),
)
