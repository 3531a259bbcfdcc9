"""Who may call, and what was answered to a repeated call."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    false,
)

from stepwell.server.database.tables.columns import Instant, id_column, metadata

tokens = Table(
    "tokens",
    metadata,
    id_column(),
    Column("name", String(100), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("groups", JSON(none_as_null=True)),
    Column("read_only", Boolean, nullable=False, server_default=false()),
    Column("user_id", Uuid),
    Index(None, "user_id"),
)

users = Table(
    "users",
    metadata,
    id_column(),
    Column("name", String(100), nullable=False, unique=True),
    Column("email", String(320)),
    Column("role", String(20), nullable=False),
    Column("password_hash", String(200)),
    Column("issuer", String(500)),
    Column("subject", String(255)),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("disabled_at", Instant),
    Column("password_changed_at", Instant),
    Column("last_login_at", Instant),
    UniqueConstraint("issuer", "subject"),
)

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("how", String(20), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", String(64)),
    Column("agent", String(200)),
    Column("revoked_at", Instant),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    id_column(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("purpose", String(20), nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id")),
    Column("challenge", String(100)),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

login_throttles = Table(
    "login_throttles",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("free_at", Float, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "changed_at"),
)

answers = Table(
    "answers",
    metadata,
    Column("caller", String(100), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("answer", JSON),
    Column("created_at", Instant, nullable=False),
    Index(None, "created_at"),
)
