"""The report store."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    false,
)

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
    Column("blob_id", Uuid),
    Column("keep_until", Instant),
    Column("of_failure", Boolean, nullable=False, server_default=false()),
    Index(None, "run_id"),
    Index(None, "group_name", "workflow", "name", "created_at"),
    Index(None, "created_at"),
    Index(None, "keep_until"),
)

report_samples = Table(
    "report_samples",
    metadata,
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("seen", Integer, nullable=False),
)
