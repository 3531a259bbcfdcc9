"""Figures go along when a workflow or its operations are called something else (R37)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, update

from stepwell.server.database import tables

_OF_OPERATIONS: Final = (tables.metrics_hourly, tables.metrics_pending, tables.metrics_rollups)
_OF_WORKFLOWS: Final = (
    tables.metrics_waits,
    tables.metrics_causes,
    tables.workflow_targets,
    tables.target_misses,
)


def move(conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]) -> None:
    """Give the figures of a workflow, and of its operations, the new names.

    What the new name has figures of already stays as it is; a target that was set for another
    workflow, which was called so once, goes.

    Parameters
    ----------
    operations : new name -> old name, of operations that were renamed too.
    """
    for name, was in operations.items():
        for table in _OF_OPERATIONS:
            _move(conn, table, group, {"workflow": old, "operation": was}, {"operation": name})
    if old != new:
        former = tables.workflow_targets.c
        conn.execute(
            delete(tables.workflow_targets).where(
                former.group_name == group, former.workflow == new
            )
        )
        for table in (*_OF_OPERATIONS, *_OF_WORKFLOWS):
            _move(conn, table, group, {"workflow": old}, {"workflow": new})


def _move(
    conn: Connection, table: Table, group: str, source: Mapping[str, str], target: Mapping[str, str]
) -> None:
    mine = [table.c.group_name == group, *(table.c[name] == one for name, one in source.items())]
    if "workflow" in table.primary_key.columns:
        mine.append(~_taken(table, target))
    conn.execute(update(table).where(*mine).values(**target))


def _taken(table: Table, target: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether there is a row already where one would go."""
    other = table.alias()
    return exists().where(
        and_(*(other.c[key.name] == target.get(key.name, key) for key in table.primary_key.columns))
    )
