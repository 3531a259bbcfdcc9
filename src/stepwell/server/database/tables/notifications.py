"""What happened that somebody may want to hear of, who does, and what was sent."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from stepwell.server.database.tables.columns import Instant, id_column, metadata

_OPEN = text("kind = 'failure' AND passed_at IS NULL")
_IN_USE = text("removed_at IS NULL")

occasions = Table(
    "occasions",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("cause", String(300), nullable=False),
    Column("group_name", String(100), nullable=False),
    Column("workflow", String(100)),
    Column("run_id", Uuid),
    Column("schedule_id", Uuid),
    Column("discovery_id", Uuid),
    Column("sentence", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("passed_at", Instant),
    Index(None, "at", "id"),
    Index(None, "cause", "at"),
    Index(
        "ix_occasions_open",
        "group_name",
        "workflow",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
)

notification_targets = Table(
    "notification_targets",
    metadata,
    id_column(),
    Column("name", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("address", JSON, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("removed_at", Instant),
    Index(
        "ix_notification_targets_in_use",
        "name",
        unique=True,
        sqlite_where=_IN_USE,
        postgresql_where=_IN_USE,
    ),
)
"""`address` has no secret: URLs that are secrets are references."""

notification_rules = Table(
    "notification_rules",
    metadata,
    id_column(),
    Column("target_id", Uuid, ForeignKey("notification_targets.id"), nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("group_name", String(100)),
    Column("workflow", String(100)),
    Column("labels", JSON, nullable=False),
    Column("every", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
)

notification_threads = Table(
    "notification_threads",
    metadata,
    Column("cause", String(300), primary_key=True),
    Column("target_id", Uuid, ForeignKey("notification_targets.id"), primary_key=True),
    Column("told_at", Instant),
    Column("every", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("last_id", Uuid),
)
"""One cause as one target hears of it: when it was told last, and how often it has
happened since."""

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    Column("target_id", Uuid, ForeignKey("notification_targets.id"), nullable=False),
    Column("occasion_id", Uuid),
    Column("message", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("answer", Text),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("finished_at", Instant),
    Index(None, "created_at", "id"),
)

notification_mutes = Table(
    "notification_mutes",
    metadata,
    Column("cause", String(300), primary_key=True),
    Column("until", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("muted_by", String(100), nullable=False),
    Column("muted_at", Instant, nullable=False),
)
