"""Roll-ups."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Integer, String, Table

from stepwell.server.database.tables.columns import Instant, metadata

metrics_hourly = Table(
    "metrics_hourly",
    metadata,
    Column("hour", Instant, primary_key=True),
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("operation", String(100), primary_key=True),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("other", Integer, nullable=False),
    Column("duration_sum", Float, nullable=False),
    Column("histogram", JSON, nullable=False),
)
