"""The report store."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Uuid

from stepwell.server.database.tables.columns import Instant, group_column, id_column, metadata

reports = Table(
    "reports",
    metadata,
    id_column(),
    group_column(),
    Column("workflow", String(100), nullable=False),
    Column("operation", String(100), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("run_id", Uuid, ForeignKey("runs.id"), nullable=False),
    Column("step_id", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "run_id"),
    Index(None, "group_name", "workflow", "name", "created_at"),
)
