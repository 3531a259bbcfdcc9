"""Who reads state: noted at most once a minute for each key and reader."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from stepwell import clock
from stepwell.errors import StoreUnavailable
from stepwell.server.database.session import Database
from stepwell.server.database.tables import state_readers as t
from stepwell.server.state.records import StateReader

EVERY: Final = 60.0
"""Seconds between two notes of the same reader of the same key, in one server."""
MOST: Final = 50
"""Readers of a key that are shown."""
_REMEMBERED: Final = 10_000

_noted: WeakKeyDictionary[Database, dict[tuple[str, ...], float]] = WeakKeyDictionary()


def note_reader(db: Database, group: str, scope: str, key: str, reader: str, run_id: UUID) -> None:
    """Remember who has read a value; a busy database must not hold up the reader."""
    place, now = (group, scope, key, reader), time.monotonic()
    noted = _noted.setdefault(db, {})
    if now - noted.get(place, -EVERY) < EVERY:
        return
    if len(noted) >= _REMEMBERED:
        noted.clear()
    noted[place] = now
    with suppress(StoreUnavailable), db.write() as conn:
        _put(conn, dict(zip(("group_name", "scope", "key", "reader"), place, strict=True)), run_id)


def readers(conn: Connection, group: str, scope: str, key: str) -> list[StateReader]:
    """Who has read a value, the last one first."""
    of = (t.c.group_name == group, t.c.scope == scope, t.c.key == key)
    query = select(t.c.reader, t.c.run_id, t.c.read_at).where(*of)
    rows = conn.execute(query.order_by(t.c.read_at.desc()).limit(MOST)).mappings()
    return [StateReader(**row) for row in rows]


def _put(conn: Connection, key: dict[str, Any], run_id: UUID) -> None:
    into = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    values = {"run_id": run_id, "read_at": clock.now()}
    new = into(t).values(**key, **values)
    conn.execute(new.on_conflict_do_update(index_elements=list(key), set_=values))
