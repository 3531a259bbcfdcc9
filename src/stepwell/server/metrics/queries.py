"""The roll-up table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stepwell.server.database.tables import metrics_hourly as t

KEY = ("hour", "group_name", "workflow", "operation")


def locked(conn: Connection, **key: Any) -> RowMapping:
    """The row of one hour, made if need be, locked until the transaction ends."""
    make: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    empty = {"succeeded": 0, "failed": 0, "other": 0, "duration_sum": 0.0, "histogram": {}}
    conn.execute(make(t).values(**key, **empty).on_conflict_do_nothing())
    return conn.execute(select(t).where(*_is(key)).with_for_update()).mappings().one()


def replace(conn: Connection, values: dict[str, Any], **key: Any) -> None:
    """Write the counts of a row that is locked."""
    conn.execute(update(t).where(*_is(key)).values(**values))


def between(
    conn: Connection, first: datetime, last: datetime, **equal: str | None
) -> list[RowMapping]:
    """The rows of hours in [first, last), oldest first."""
    query = select(t).where(t.c.hour >= first, t.c.hour < last)
    for name, value in equal.items():
        query = query if value is None else query.where(t.c[name] == value)
    return list(conn.execute(query.order_by(*(t.c[name] for name in KEY))).mappings())


def _is(key: dict[str, Any]) -> list[Any]:
    return [t.c[name] == value for name, value in key.items()]
