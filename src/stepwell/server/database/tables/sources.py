"""Where images are found: registries and folders, and what was found there."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from stepwell.server.database.tables.columns import Instant, id_column, metadata

sources = Table(
    "sources",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("location", Text, nullable=False),
    Column("include", JSON, nullable=False),
    Column("exclude", JSON, nullable=False),
    Column("credentials", JSON, nullable=False),
    Column("launcher", String(20), nullable=False),
    Column("scan_every", Float),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("requested_at", Instant),
    Column("scanned_at", Instant),
    Column("scan_error", JSON(none_as_null=True)),
    Column("scan_count", Integer),
)

source_images = Table(
    "source_images",
    metadata,
    id_column(),
    Column("source_name", String(100), ForeignKey("sources.name"), nullable=False),
    Column("image", String(1000), nullable=False),
    Column("digest", String(100)),
    Column("error", JSON(none_as_null=True)),
    Column("stated_name", String(100)),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("gone_at", Instant),
    Column("dismissed_at", Instant),
    Column("dismissed_by", String(100)),
    Column("reason", Text),
    UniqueConstraint("source_name", "image"),
)
