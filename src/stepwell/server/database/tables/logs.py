"""The index of the logs (R39)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    text,
)

from stepwell.server.database.tables.columns import Instant, metadata

log_segments = Table(
    "log_segments",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("operation", String(100)),
    Column("execution", Integer),
    Column("first_line", BigInteger, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("levels", Integer, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("written", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("content", LargeBinary),
    Column("blob_id", Uuid),
    Index(None, "until_at"),
    Index(
        "ix_log_segments_inline",
        "until_at",
        sqlite_where=text("content IS NOT NULL"),
        postgresql_where=text("content IS NOT NULL"),
    ),
)
