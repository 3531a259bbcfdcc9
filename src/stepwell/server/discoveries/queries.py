"""Discoveries in the database."""

from __future__ import annotations

from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, exists, insert, select, update

from stepwell.server.database.tables import discoveries

Row: TypeAlias = RowMapping

_later = discoveries.alias()
IS_LAST: Final = discoveries.c.finished_at.is_not(None) & ~exists().where(
    _later.c.group_name == discoveries.c.group_name,
    _later.c.created_at > discoveries.c.created_at,
    _later.c.finished_at.is_not(None),
)
"""Whether no later discovery of its group has ended: what it found, or why it failed, stands."""

_BRIEF = [column for column in discoveries.c if column.name not in {"manifest", "output"}]


def add(conn: Connection, **values: Any) -> None:
    """Insert a discovery."""
    conn.execute(insert(discoveries).values(**values))


def change(conn: Connection, discovery_id: UUID, **values: Any) -> None:
    """Set columns of a discovery."""
    conn.execute(update(discoveries).where(discoveries.c.id == discovery_id).values(**values))


def get(conn: Connection, discovery_id: UUID) -> Row | None:
    """The discovery with all its columns."""
    query = select(discoveries).where(discoveries.c.id == discovery_id)
    return conn.execute(query).mappings().one_or_none()


def lock(conn: Connection, discovery_id: UUID) -> Row | None:
    """As `get`; on PostgreSQL nobody else changes it until the transaction ends."""
    query = select(discoveries).where(discoveries.c.id == discovery_id).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def waiting(conn: Connection, group: str) -> Row | None:
    """The discovery of the group that has not begun yet."""
    mine = (discoveries.c.group_name == group, discoveries.c.state == "waiting")
    query = select(discoveries).where(*mine).order_by(discoveries.c.id).limit(1)
    return conn.execute(query).mappings().one_or_none()


def open_one(conn: Connection, group: str) -> Row | None:
    """A discovery of the group that has not ended."""
    mine = (discoveries.c.group_name == group, discoveries.c.state.in_(("waiting", "running")))
    query = select(discoveries).where(*mine).order_by(discoveries.c.id).limit(1)
    return conn.execute(query).mappings().one_or_none()


def newest_digest(conn: Connection, group: str) -> str | None:
    """The digest that was looked into last, whatever came of it."""
    mine = (discoveries.c.group_name == group, discoveries.c.digest.is_not(None))
    query = select(discoveries.c.digest).where(*mine).order_by(discoveries.c.id.desc()).limit(1)
    return conn.execute(query).scalar_one_or_none()


def latest(conn: Connection, group: str) -> Row | None:
    """The newest discovery of the group that has a manifest."""
    mine = (discoveries.c.group_name == group, discoveries.c.state == "succeeded")
    query = select(discoveries).where(*mine).order_by(discoveries.c.id.desc()).limit(1)
    return conn.execute(query).mappings().one_or_none()


def listed() -> Select[Any]:
    """All discoveries without their large columns, to be paged by id."""
    return select(*_BRIEF)
