"""What happened that somebody may want to hear of."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table, Text, Uuid, text

from stepwell.server.database.tables.columns import Instant, id_column, metadata

occasions = Table(
    "occasions",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("cause", String(300), nullable=False),
    Column("group_name", String(100), nullable=False),
    Column("workflow", String(100)),
    Column("run_id", Uuid),
    Column("schedule_id", Uuid),
    Column("discovery_id", Uuid),
    Column("sentence", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("passed_at", Instant),
    Index(None, "cause", "at"),
    Index(
        "ix_occasions_open",
        "group_name",
        "workflow",
        sqlite_where=text("kind = 'failure' AND passed_at IS NULL"),
        postgresql_where=text("kind = 'failure' AND passed_at IS NULL"),
    ),
)
