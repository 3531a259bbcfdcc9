"""Runs, their attempts, labels and limits, and what their operations have staged."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from stepwell.server.database.tables.columns import Instant, group_column, id_column, metadata

runs = Table(
    "runs",
    metadata,
    id_column(),
    group_column(),
    Column("workflow", String(100), nullable=False),
    Column("release_id", Uuid, ForeignKey("releases.id"), nullable=False),
    Column("digest", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("trigger", String(20), nullable=False),
    Column("requested_by", String(100), nullable=False),
    Column("schedule_id", Uuid, ForeignKey("schedules.id")),
    Column("repeat_of", Uuid),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deadline_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("attempt", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("reason", Text),
    Column("trial", JSON(none_as_null=True)),
    Column("keep_reason", Text),
    Column("reexecution_of", Uuid),
    Column("superseded_by", Uuid),
    Column("course", JSON(none_as_null=True)),
    Column("labels", JSON(none_as_null=True)),
    Column("band", Integer, nullable=False, server_default="2"),
    Column("pool", String(100)),
    Column("limits", JSON(none_as_null=True)),
    Column("waiting_code", String(20)),
    Column("waiting", JSON(none_as_null=True)),
    Column("progress", JSON(none_as_null=True)),
    Column("fingerprint", String(64)),
    Column("failed_operation", String(100)),
    Index(None, "waiting_code", "band", "due_at"),
    Index(None, "reexecution_of"),
    # All end with the order of pages, so that no planner takes the order for dearer than the rows.
    Index(None, "group_name", "workflow", "created_at", "id"),
    Index(None, "state", "created_at", "id"),
    Index(None, "schedule_id", "created_at", "id"),
    Index(None, "created_at", "id"),
    Index(None, "group_name", "created_at", "id"),
    Index(None, "workflow", "created_at", "id"),
    Index(None, "workflow", "state", "created_at", "id"),
    Index(None, "requested_by", "created_at", "id"),
    Index(
        None,
        "fingerprint",
        "created_at",
        "id",
        sqlite_where=text("fingerprint IS NOT NULL"),
        postgresql_where=text("fingerprint IS NOT NULL"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", Uuid, ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("handle", JSON),
    Column("queued_at", Instant, nullable=False),
    Column("launched_at", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("revoked_at", Instant),
    Column("exit", JSON),
    Column("condition", Text),
    Column("launch_condition", JSON(none_as_null=True)),
    Column("waited_for", String(20)),
    Column("lined_up_at", Instant),
)

run_labels = Table(
    "run_labels",
    metadata,
    Column("run_id", Uuid, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(63), primary_key=True),
    Column("value", String(200), nullable=False),
    Index(None, "key", "value", "run_id"),
)

run_limits = Table(
    "run_limits",
    metadata,
    Column("kind", String(10), primary_key=True),
    Column("name", String(210), primary_key=True),
    Column("slots", Integer, nullable=False),
    Column("reason", Text),
    Column("changed_by", String(100), nullable=False),
    Column("changed_at", Instant, nullable=False),
)

staged = Table(
    "staged",
    metadata,
    id_column(),
    Column("run_id", Uuid, ForeignKey("runs.id"), nullable=False),
    Column("step_id", Uuid, nullable=False),
    Column("claim_no", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("content", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Column("blob_id", Uuid),
    Index(None, "step_id", "claim_no"),
)
