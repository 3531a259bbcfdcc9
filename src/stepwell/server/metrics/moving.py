"""Figures go along when a workflow or its operations are called something else (R37)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, and_, exists, update

from stepwell.server.database.tables import metrics_hourly as t


def move(conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]) -> None:
    """Give the figures of a workflow, and of its operations, the new names.

    An hour that the new name has figures of already stays as it is.

    Parameters
    ----------
    operations : new name -> old name, of operations that were renamed too.
    """
    for name, was in operations.items():
        _move(conn, group, (old, was), (old, name))
    if old != new:
        _move(conn, group, (old, None), (new, None))


def _move(
    conn: Connection,
    group: str,
    source: tuple[str, str | None],
    target: tuple[str, str | None],
) -> None:
    """Rename rows of (workflow, operation); None is every operation."""
    other = t.alias()
    operation: ColumnElement[str] | str = t.c.operation if target[1] is None else target[1]
    same = (other.c.group_name == group, other.c.hour == t.c.hour)
    taken = exists().where(
        and_(*same, other.c.workflow == target[0], other.c.operation == operation)
    )
    mine = [t.c.group_name == group, t.c.workflow == source[0], ~taken]
    mine += [] if source[1] is None else [t.c.operation == source[1]]
    values = {"workflow": target[0]} | ({} if target[1] is None else {"operation": target[1]})
    conn.execute(update(t).where(*mine).values(**values))
