"""Who may call, and what was answered to a repeated call."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String, Table

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
