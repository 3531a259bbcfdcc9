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
    Column("hold_until", Instant),
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
    Column("confirmed_by", String(100)),
    Column("image", Text),
    Column("environment", JSON(none_as_null=True)),
    Column("secrets", JSON(none_as_null=True)),
    Column("launch_options", JSON(none_as_null=True)),
    UniqueConstraint("group_name", "number"),
)
"""`image`, `environment` (names only), `secrets` (references) and `launch_options` are the
group's as it was then; null where nobody knows. A number below zero is a trial's (decision
0042): never current, never listed."""

release_workflows = Table(
    "release_workflows",
    metadata,
    Column("release_id", Uuid, ForeignKey("releases.id"), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("discovery_id", Uuid, ForeignKey("discoveries.id"), nullable=False),
    Column("digest", String(100), nullable=False),
    Column("entry", JSON, nullable=False),
    Column("renamed_from", String(100)),
    Column("renamed_operations", JSON(none_as_null=True)),
)

proposals = Table(
    "proposals",
    metadata,
    id_column(),
    group_column(),
    Column("discovery_id", Uuid, ForeignKey("discoveries.id")),
    Column("to_release", Integer),
    Column("against_release", Integer, nullable=False),
    Column("decisions", JSON, nullable=False),
    Column("reason", Text),
    Column("state", String(20), nullable=False),
    Column("requested_by", String(100), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("ended_by", String(100)),
    Column("ended_at", Instant),
    Column("ended_reason", Text),
    Column("release", Integer),
    Index(None, "group_name", "state"),
)

comments = Table(
    "comments",
    metadata,
    id_column(),
    Column("discovery_id", Uuid, ForeignKey("discoveries.id"), nullable=False),
    Column("written_by", String(100), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "discovery_id"),
)
