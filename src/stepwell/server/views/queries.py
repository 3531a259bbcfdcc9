"""The tables of views and of defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update

from stepwell.server.database.tables import view_defaults, views
from stepwell.server.views.records import MOST


def seen_by(conn: Connection, owner: str, screen: str) -> Sequence[RowMapping]:
    """Somebody's own views and those that others share, by name."""
    query = (
        select(views)
        .where(views.c.screen == screen, or_(views.c.owner == owner, views.c.shared))
        .order_by(views.c.name, views.c.id)
        .limit(MOST)
    )
    return conn.execute(query).mappings().all()


def get(conn: Connection, view_id: UUID) -> RowMapping | None:
    """One view."""
    return conn.execute(select(views).where(views.c.id == view_id)).mappings().one_or_none()


def named(conn: Connection, owner: str, screen: str, name: str) -> RowMapping | None:
    """Somebody's own view of that name."""
    query = select(views).where(
        views.c.owner == owner, views.c.screen == screen, views.c.name == name
    )
    return conn.execute(query).mappings().one_or_none()


def add(conn: Connection, **values: Any) -> None:
    """Insert a view."""
    conn.execute(insert(views).values(**values))


def change(conn: Connection, view_id: UUID, **values: Any) -> None:
    """Update a view."""
    conn.execute(update(views).where(views.c.id == view_id).values(**values))


def remove(conn: Connection, view_id: UUID) -> None:
    """Delete a view; whoever had it as default has none."""
    conn.execute(delete(view_defaults).where(view_defaults.c.view_id == view_id))
    conn.execute(delete(views).where(views.c.id == view_id))


def default(conn: Connection, owner: str, screen: str) -> RowMapping | None:
    """Somebody's default."""
    mine = (view_defaults.c.owner == owner, view_defaults.c.screen == screen)
    return conn.execute(select(view_defaults).where(*mine)).mappings().one_or_none()


def set_default(conn: Connection, owner: str, screen: str, **values: Any) -> None:
    """Replace somebody's default; both values None is none."""
    mine = (view_defaults.c.owner == owner, view_defaults.c.screen == screen)
    conn.execute(delete(view_defaults).where(*mine))
    if any(value is not None for value in values.values()):
        conn.execute(insert(view_defaults).values(owner=owner, screen=screen, **values))
