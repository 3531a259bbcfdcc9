"""How state goes: its time is over, then its value and history, at last its version number.

The number outlives the value, so that a swap which expects a version that was seen
before can never meet another value under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    delete,
    exists,
    func,
    select,
    tuple_,
    update,
)

from stepwell.server.database.tables import state_entries as t

_KEY = (t.c.group_name, t.c.scope, t.c.key)
_later = t.alias("later")
_NEWEST = ~exists().where(
    _later.c.group_name == t.c.group_name,
    _later.c.scope == t.c.scope,
    _later.c.key == t.c.key,
    _later.c.version > t.c.version,
)


def expired(conn: Connection, before: datetime, limit: int) -> Sequence[Row[Any]]:
    """Keys whose newest version expired before then: group, scope, key and its number."""
    return _found(conn, (t.c.expires_at < before) & t.c.deleted.is_(False), limit)


def gone(conn: Connection, before: datetime, limit: int) -> Sequence[Row[Any]]:
    """Keys whose newest version is a deletion from before then."""
    since = func.coalesce(t.c.expires_at, t.c.written_at)
    return _found(conn, (since < before) & t.c.deleted.is_(True), limit)


def end(conn: Connection, before: datetime, limit: int) -> int:
    """Make a deletion of what has expired, and remove its history; how many keys."""
    keys = expired(conn, before, limit)
    for key in keys:
        same = tuple_(*_KEY) == tuple(key[:3])
        conn.execute(delete(t).where(same, t.c.version < key.version))
        emptied = update(t).where(same, t.c.version == key.version)
        conn.execute(emptied.values(deleted=True, value=None))
    return len(keys)


def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Remove every version of what was deleted before then; how many keys."""
    keys = gone(conn, before, limit)
    if keys:
        conn.execute(delete(t).where(tuple_(*_KEY).in_([tuple(key[:3]) for key in keys])))
    return len(keys)


def _found(conn: Connection, which: ColumnElement[bool], limit: int) -> Sequence[Row[Any]]:
    query: Select[Any] = select(*_KEY, t.c.version).where(which, _NEWEST).limit(limit)
    return conn.execute(query).all()
