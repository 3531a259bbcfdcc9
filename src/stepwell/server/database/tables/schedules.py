"""Schedules and their ledger."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from stepwell.server.database.tables.columns import Instant, group_column, id_column, metadata

schedules = Table(
    "schedules",
    metadata,
    id_column(),
    group_column(),
    Column("workflow", String(100), nullable=False),
    Column("name", String(100), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("override_reason", Text),
    Column("changed_by", String(100), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("labels", JSON(none_as_null=True)),
    Column("version", Integer, nullable=False),
    Column("next_due", Instant),
    Column("active", Boolean, nullable=False),
    Column("paused_at", Instant),
    Column("pause_reason", Text),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("group_name", "workflow", "name"),
    Index(None, "next_due"),
)

ledger = Table(
    "ledger",
    metadata,
    id_column(),
    Column("schedule_id", Uuid, ForeignKey("schedules.id"), nullable=False),
    Column("first_due", Instant, nullable=False),
    Column("last_due", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("fate", String(20), nullable=False),
    Column("why", Text),
    Column("run_id", Uuid),
    Column("next_due", Instant),
    Column("schedule_version", Integer, nullable=False),
    Column("entered_at", Instant, nullable=False),
    UniqueConstraint("schedule_id", "first_due"),
    Index(
        "ix_ledger_queued",
        "schedule_id",
        "first_due",
        sqlite_where=text("fate = 'queued'"),
        postgresql_where=text("fate = 'queued'"),
    ),
)
