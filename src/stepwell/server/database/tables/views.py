"""Saved views, and which one a user sees first."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, Text, Uuid

from stepwell.server.database.tables.columns import Instant, id_column, metadata

views = Table(
    "views",
    metadata,
    id_column(),
    Column("screen", String(20), nullable=False),
    Column("name", String(100), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("query", Text, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_views_owner_screen_name", "owner", "screen", "name", unique=True),
)

view_defaults = Table(
    "view_defaults",
    metadata,
    Column("owner", String(100), primary_key=True),
    Column("screen", String(20), primary_key=True),
    Column("builtin", String(20)),
    Column("view_id", Uuid, ForeignKey("views.id")),
)
