"""The table of versions: the highest one of a key is current."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, literal_column, select

from stepwell import clock
from stepwell.server.database.tables import state_entries as t


def latest(conn: Connection, group: str, scope: str, key: str) -> RowMapping | None:
    """The newest version, also when it is deleted or expired."""
    query = select(t).where(*_of(group, scope, key)).order_by(t.c.version.desc()).limit(1)
    return conn.execute(query).mappings().one_or_none()


def newest() -> Select[Any]:
    """The newest version of every key."""
    top = (
        select(t.c.group_name, t.c.scope, t.c.key, func.max(t.c.version).label("version"))
        .group_by(t.c.group_name, t.c.scope, t.c.key)
        .subquery()
    )
    same = [t.c[name] == top.c[name] for name in ("group_name", "scope", "key", "version")]
    return select(t).join(top, onclause=same[0] & same[1] & same[2] & same[3])


def versions(group: str, scope: str, key: str) -> Select[Any]:
    """Every version that is kept of one key."""
    return select(t).where(*_of(group, scope, key))


def version(conn: Connection, group: str, scope: str, key: str, number: int) -> RowMapping | None:
    """One version."""
    query = select(t).where(*_of(group, scope, key), t.c.version == number)
    return conn.execute(query).mappings().one_or_none()


def below(conn: Connection, group: str, scope: str, key: str, number: int) -> RowMapping | None:
    """The newest version that is kept of those before a number."""
    query = select(t).where(*_of(group, scope, key), t.c.version < number)
    return conn.execute(query.order_by(t.c.version.desc()).limit(1)).mappings().one_or_none()


def add(conn: Connection, **values: Any) -> None:
    """Insert a version; the primary key refuses a second writer of the same one."""
    conn.execute(insert(t).values(**values))


def forget(conn: Connection, group: str, scope: str, key: str, up_to: int) -> None:
    """Remove old versions, up to and including number `up_to`."""
    conn.execute(delete(t).where(*_of(group, scope, key), t.c.version <= up_to))


def keys(
    conn: Connection, group: str, scope: str, prefix: str, after: str, limit: int
) -> list[str]:
    """Keys of one scope with a value now that begin so and come after one, in order."""
    top = newest().where(t.c.group_name == group, t.c.scope == scope, t.c.key > after)
    top = top.where(t.c.deleted.is_(False))
    top = top.where(t.c.expires_at.is_(None) | (t.c.expires_at > clock.now()))
    top = top.where(t.c.key.startswith(prefix, autoescape=True)) if prefix else top
    found = top.with_only_columns(t.c.key).order_by(t.c.key).limit(limit)
    return list(conn.execute(found).scalars())


def written_between(group: str, since: datetime, until: datetime, limit: int) -> Select[Any]:
    """The newest of the versions of each key that were written in a span, by scope and key."""
    span = (t.c.group_name == group, t.c.written_at > since, t.c.written_at <= until)
    top = (
        select(t.c.scope, t.c.key, func.max(t.c.version).label("version"))
        .where(*span)
        .group_by(t.c.scope, t.c.key)
        .subquery()
    )
    same = [t.c[name] == top.c[name] for name in ("scope", "key", "version")]
    query = select(t).join(top, onclause=same[0] & same[1] & same[2])
    return query.where(t.c.group_name == group).order_by(t.c.scope, t.c.key).limit(limit)


def _of(group: str, scope: str, key: str) -> tuple[Any, ...]:
    return (t.c.group_name == group, t.c.scope == scope, t.c.key == key)


def keys_made_by(conn: Connection, run_id: UUID, most: int) -> int:
    """How many keys a run was the first to write, counted up to `most`."""
    # A literal: only then do the planners see that the partial index fits.
    mine = (t.c.run_id == run_id, t.c.version == literal_column("1"))
    some = select(t.c.run_id).where(*mine).limit(most).subquery()
    return int(conn.execute(select(func.count()).select_from(some)).scalar_one())
