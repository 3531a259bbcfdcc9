"""Schedules, their ledger, calendars, backfills, alerts, and when no server ticked."""

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
    Column("jitter_key", String(310)),
    Column("paused_until", Instant),
    Column("skips", JSON(none_as_null=True)),
    Column("late_after", Integer),
    Column("too_long_after", Integer),
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
    Column("spec", JSON(none_as_null=True)),
    UniqueConstraint("schedule_id", "first_due"),
    Index(
        "ix_ledger_queued",
        "schedule_id",
        "first_due",
        sqlite_where=text("fate = 'queued'"),
        postgresql_where=text("fate = 'queued'"),
    ),
)

calendars = Table(
    "calendars",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("description", Text, nullable=False),
    Column("timezone", String(100)),
    Column("days", JSON, nullable=False),
    Column("changed_by", String(100), nullable=False),
    Column("changed_at", Instant, nullable=False),
)

backfills = Table(
    "backfills",
    metadata,
    id_column(),
    Column("schedule_id", Uuid, ForeignKey("schedules.id"), nullable=False),
    Column("state", String(20), nullable=False),
    Column("begin", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("which", String(20), nullable=False),
    Column("order", String(20), nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("per_minute", Integer),
    Column("parameters", JSON(none_as_null=True)),
    Column("instants", Integer, nullable=False),
    Column("reason", Text),
    Column("requested_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_start_at", Instant),
    Column("finished_at", Instant),
    Index(None, "schedule_id", "created_at"),
)

backfill_instants = Table(
    "backfill_instants",
    metadata,
    Column("backfill_id", Uuid, ForeignKey("backfills.id"), primary_key=True),
    Column("due_at", Instant, primary_key=True),
    Column("schedule_id", Uuid, ForeignKey("schedules.id"), nullable=False),
    Column("fate", String(20), nullable=False),
    Column("why", Text),
    Column("run_id", Uuid),
    Column("entered_at", Instant, nullable=False),
    Index(None, "schedule_id", "due_at"),
    Index(None, "backfill_id", "fate"),
)

schedule_alerts = Table(
    "schedule_alerts",
    metadata,
    id_column(),
    Column("schedule_id", Uuid, ForeignKey("schedules.id")),
    Column("kind", String(20), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("group_name", String(100), nullable=False),
    Column("workflow", String(100), nullable=False),
    Column("run_id", Uuid),
    Column("since", Instant, nullable=False),
    Column("noticed_at", Instant, nullable=False),
    Column("over_at", Instant),
    Column("text", Text, nullable=False),
    UniqueConstraint("kind", "subject"),
    Index(None, "over_at"),
)

downtimes = Table(
    "downtimes",
    metadata,
    id_column(),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("answer", String(20)),
    Column("answered_by", String(100)),
    Column("answered_at", Instant),
    Column("answer_reason", Text),
    Index(None, "ended_at"),
)
