"""Decisions, and the releases that they made."""

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
    UniqueConstraint,
    Uuid,
)

from stepwell.server.database.tables.columns import Instant, group_column, id_column, metadata

decisions = Table(
    "decisions",
    metadata,
    id_column(),
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
    id_column(),
    group_column(),
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
