"""Causes of failure that somebody does not want to see for a while."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from stepwell.server.database.tables.columns import Instant, metadata

cause_mutes = Table(
    "cause_mutes",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("until", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("muted_by", String(100), nullable=False),
    Column("muted_at", Instant, nullable=False),
)
"""Written by servers of the version before alone; triggers copy it into notification_mutes."""
