"""The state store."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Uuid, text

from stepwell.server.database.tables.columns import Instant, metadata

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
    Index(None, "expires_at"),
    Index(
        "ix_state_entries_made_by",
        "run_id",
        sqlite_where=text("version = 1"),
        postgresql_where=text("version = 1"),
    ),
)

state_readers = Table(
    "state_readers",
    metadata,
    Column("group_name", String(100), primary_key=True),
    Column("scope", String(220), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("reader", String(210), primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("read_at", Instant, nullable=False),
    Index(None, "read_at"),
)
