"""The feed of changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, or_, select

from stepwell.server.database.prepared import Prepared
from stepwell.server.database.tables import changes
from stepwell.server.events.records import Change

_ADD: Final = Prepared(insert(changes).inline(), ("at", "topic", "what", "key"))


def after(conn: Connection, position: int, late: Sequence[int], limit: int) -> list[Change]:
    """Up to `limit` changes after a position, and those of the ids `late`, in order."""
    wanted = changes.c.id > position
    if late:
        wanted = or_(wanted, changes.c.id.in_(late))
    query = select(changes).where(wanted).order_by(changes.c.id).limit(limit)
    return [_change(row) for row in conn.execute(query).mappings()]


def ids_between(conn: Connection, after: int, before: int) -> set[int]:
    """The ids above `after` and below `before` that are there."""
    query = select(changes.c.id).where(changes.c.id > after, changes.c.id < before)
    return set(conn.execute(query).scalars())


def newest(conn: Connection) -> int:
    """The id of the newest change; 0 where there is none."""
    found: int = conn.execute(select(func.coalesce(func.max(changes.c.id), 0))).scalar_one()
    return found


def oldest(conn: Connection) -> int | None:
    """The id of the oldest change that is kept."""
    found: int | None = conn.execute(select(func.min(changes.c.id))).scalar_one()
    return found


def add(conn: Connection, at: datetime, topic: str, what: str, keys: Iterable[str]) -> None:
    """Tell of something that no row of another table shows."""
    _ADD.insert(conn, [{"at": at, "topic": topic, "what": what, "key": key} for key in keys])


def _change(row: Any) -> Change:
    return Change(row["id"], row["at"], row["topic"], row["what"], row["key"], row["group_name"])
