"""What has changed lately, for live views. Written by triggers of the other tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from stepwell.server.database.tables.columns import Instant, metadata

changes = Table(
    "changes",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("at", Instant, nullable=False),
    Column("topic", String(20), nullable=False),
    Column("what", String(30), nullable=False),
    Column("key", String(420), nullable=False),
    Column("group_name", String(100)),
    Index(None, "at"),
    sqlite_autoincrement=True,
)
