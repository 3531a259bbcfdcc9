"""The table of actions on many runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from stepwell.server.database.tables import bulk


def add(conn: Connection, **values: Any) -> None:
    """Insert one."""
    conn.execute(insert(bulk).values(**values))


def get(conn: Connection, bulk_id: UUID) -> RowMapping | None:
    """One of them."""
    return conn.execute(select(bulk).where(bulk.c.id == bulk_id)).mappings().one_or_none()


def lock(conn: Connection, bulk_id: UUID) -> RowMapping | None:
    """As `get`; nobody else changes it until the transaction ends."""
    query = select(bulk).where(bulk.c.id == bulk_id).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def change(conn: Connection, bulk_id: UUID, **values: Any) -> None:
    """Update one that is locked."""
    conn.execute(update(bulk).where(bulk.c.id == bulk_id).values(**values))


def listed() -> Select[Any]:
    """All, to be paged."""
    return select(bulk)
