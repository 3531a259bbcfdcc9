"""What lies in the blob store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Uuid

from stepwell.server.database.tables.columns import Instant, id_column, metadata

blobs = Table(
    "blobs",
    metadata,
    id_column(),
    Column("kind", String(20), nullable=False),
    Column("run_id", Uuid),
    Column("size", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("dropped_at", Instant),
    Index(None, "dropped_at"),
    Index(None, "kind", "created_at"),
    Index(None, "run_id"),
)

blob_uses = Table(
    "blob_uses",
    metadata,
    Column("blob_id", Uuid, primary_key=True),
    Column("run_id", Uuid, primary_key=True),
    Index(None, "run_id"),
)
"""The runs that refer to a blob beside the one that it belongs to."""
