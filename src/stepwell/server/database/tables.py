"""The server's tables. The steps themselves are the step store's (`stepwell_*`, R44).

Ids are UUIDs version 7. Instants are aware UTC. JSON is readable with plain SQL.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.engine import Dialect


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which has no such type, keeps readable ISO text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text on SQLite, `timestamptz` elsewhere."""
        kind = String(32) if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Fixed-width text sorts as time does."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware UTC again."""
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return None if value is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str = "id") -> Column[Any]:
    return Column(name, Uuid, primary_key=True)


def _group() -> Column[Any]:
    return Column("group_name", String(100), ForeignKey("groups.name"), nullable=False)


tokens = Table(
    "tokens",
    metadata,
    _id(),
    Column("name", String(100), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(60), nullable=False),
    Column("target", String(300), nullable=False),
    Column("reason", Text),
    Column("details", JSON(none_as_null=True)),
    Index(None, "at", "id"),
)

answers = Table(
    "answers",
    metadata,
    Column("caller", String(100), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("answer", JSON),
    Column("created_at", Instant, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("provisional", Boolean, nullable=False),
    Column("launcher", String(20), nullable=False),
    Column("image", Text, nullable=False),
    Column("environment", JSON, nullable=False),
    Column("secrets", JSON, nullable=False),
    Column("discover_with_secrets", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("archived_at", Instant),
    Column("release_id", Uuid),
)

discoveries = Table(
    "discoveries",
    metadata,
    _id(),
    _group(),
    Column("state", String(20), nullable=False),
    Column("trigger", String(20), nullable=False),
    Column("requested_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("launcher", String(20)),
    Column("handle", JSON(none_as_null=True)),
    Column("digest", String(100)),
    Column("location", Text),
    Column("manifest", JSON(none_as_null=True)),
    Column("error", JSON(none_as_null=True)),
    Column("output", Text),
    Index(None, "group_name", "created_at"),
)

decisions = Table(
    "decisions",
    metadata,
    _id(),
    Column("discovery_id", Uuid, ForeignKey("discoveries.id"), nullable=False),
    Column("workflow", String(100), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("renamed_from", String(100)),
    Column("reason", Text),
    Column("decided_by", String(100), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Index(None, "discovery_id"),
)

releases = Table(
    "releases",
    metadata,
    _id(),
    _group(),
    Column("number", Integer, nullable=False),
    Column("discovery_id", Uuid, ForeignKey("discoveries.id")),
    Column("rollback_of", Integer),
    Column("reason", Text),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("group_name", "number"),
)

release_workflows = Table(
    "release_workflows",
    metadata,
    Column("release_id", Uuid, ForeignKey("releases.id"), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("discovery_id", Uuid, ForeignKey("discoveries.id"), nullable=False),
    Column("digest", String(100), nullable=False),
    Column("entry", JSON, nullable=False),
    Column("renamed_from", String(100)),
)

schedules = Table(
    "schedules",
    metadata,
    _id(),
    _group(),
    Column("workflow", String(100), nullable=False),
    Column("name", String(100), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("override_reason", Text),
    Column("changed_by", String(100), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("parameters", JSON, nullable=False),
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
    _id(),
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

runs = Table(
    "runs",
    metadata,
    _id(),
    _group(),
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
    Index(None, "group_name", "workflow", "created_at"),
    Index(None, "state", "created_at"),
    Index(None, "schedule_id", "created_at"),
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
)

staged = Table(
    "staged",
    metadata,
    _id(),
    Column("run_id", Uuid, ForeignKey("runs.id"), nullable=False),
    Column("step_id", Uuid, nullable=False),
    Column("claim_no", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("content", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Index(None, "step_id", "claim_no"),
)

state_entries = Table(
    "state_entries",
    metadata,
    Column("group_name", String(100), primary_key=True),
    Column("scope", String(220), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("value", JSON(none_as_null=False)),
    Column("deleted", Boolean, nullable=False),
    Column("run_id", Uuid),
    Column("step_id", Uuid),
    Column("written_by", String(100), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("expires_at", Instant),
)

reports = Table(
    "reports",
    metadata,
    _id(),
    _group(),
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

metrics_hourly = Table(
    "metrics_hourly",
    metadata,
    Column("hour", Instant, primary_key=True),
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("operation", String(100), primary_key=True),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("other", Integer, nullable=False),
    Column("duration_sum", Float, nullable=False),
    Column("histogram", JSON, nullable=False),
)
