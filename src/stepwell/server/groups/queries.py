"""Groups in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from stepwell.server.database.tables import discoveries, groups, release_workflows, releases

Row: TypeAlias = RowMapping


def add(conn: Connection, **values: Any) -> None:
    """Insert a group."""
    conn.execute(insert(groups).values(**values))


def change(conn: Connection, name: str, **values: Any) -> None:
    """Set columns of a group."""
    conn.execute(update(groups).where(groups.c.name == name).values(**values))


def get(conn: Connection, name: str) -> Row | None:
    """The group and the number of its current release."""
    return conn.execute(listed().where(groups.c.name == name)).mappings().one_or_none()


def listed() -> Select[Any]:
    """All groups, to be paged by name."""
    current = releases.c.id == groups.c.release_id
    return select(groups, releases.c.number.label("release")).join(releases, current, isouter=True)


def rediscovered() -> Select[Any]:
    """Those that are discovered again by themselves."""
    wanted = groups.c.rediscover.is_not(None) | groups.c.watch_every.is_not(None)
    return listed().where(wanted, groups.c.archived_at.is_(None))


def lock(conn: Connection, name: str) -> Row | None:
    """As `get`; on PostgreSQL nobody else changes the group until the transaction ends."""
    held = select(groups.c.name).where(groups.c.name == name).with_for_update(key_share=True)
    conn.execute(held)
    return get(conn, name)


def rename(conn: Connection, old: Row, name: str) -> None:
    """Give a group another name; only its discoveries may refer to it yet."""
    values = {column.name: old[column.name] for column in groups.c}
    add(conn, **{**values, "name": name, "provisional": False})
    mine = discoveries.c.group_name == old["name"]
    conn.execute(update(discoveries).where(mine).values(group_name=name))
    conn.execute(delete(groups).where(groups.c.name == old["name"]))


def workflows(conn: Connection, release_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Names of the workflows in each release, sorted."""
    mine = release_workflows.c.release_id.in_(release_ids)
    query = select(release_workflows.c.release_id, release_workflows.c.workflow).where(mine)
    found: dict[UUID, list[str]] = {}
    for release_id, workflow in conn.execute(query.order_by(release_workflows.c.workflow)):
        found.setdefault(release_id, []).append(workflow)
    return found
