"""Launches for single steps, which run outside of any workflow group."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text, Uuid, text

from stepwell.server.database.tables.columns import Instant, metadata

_OPEN = text("finished_at IS NULL")

step_jobs = Table(
    "step_jobs",
    metadata,
    Column("step_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("launcher", String(20), nullable=False),
    Column("image", String(1000), nullable=False),
    Column("digest", String(100)),
    Column("handle", JSON),
    Column("created_at", Instant, nullable=False),
    Column("launched_at", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("revoked_at", Instant),
    Column("outcome", JSON),
    Column("lost", Integer, nullable=False),
    Column("exit", JSON),
    Column("output", Text),
    Index("ix_step_jobs_open", "created_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_step_jobs_finished_at", "finished_at"),
)
