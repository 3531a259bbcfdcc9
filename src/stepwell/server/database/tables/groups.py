"""Workflow groups and what was discovered in their images."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, String, Table, Text, Uuid

from stepwell.server.database.tables.columns import Instant, group_column, id_column, metadata

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
    Column("rediscover", JSON(none_as_null=True)),
    Column("watch_every", Float),
    Column("looked_at", Instant),
    Column("look_error", JSON(none_as_null=True)),
    Column("two_person", Boolean),
    Column("launch_options", JSON(none_as_null=True)),
)

discoveries = Table(
    "discoveries",
    metadata,
    id_column(),
    group_column(),
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
    Column("image", Text),
    Index(None, "group_name", "created_at"),
)
