"""State goes along when a workflow or its operations are called something else (R37)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, and_, exists, select, update

from stepwell.server.database.tables import state_entries as t


def move(conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]) -> int:
    """Give what a workflow keeps, and its operations, the new names; how many versions moved.

    A key that the new name has already stays as it is, and the old one where it was:
    nothing is overwritten.

    Parameters
    ----------
    operations : new name -> old name, of operations that were renamed too.
    """
    moved = 0 if old == new else _scope(conn, group, f"workflow:{old}", f"workflow:{new}")
    for scope in _operation_scopes(conn, group, old):
        names = {was: one for one, was in operations.items()}
        operation = scope.rpartition("/")[2]
        target = f"operation:{new}/{names.get(operation, operation)}"
        moved += 0 if target == scope else _scope(conn, group, scope, target)
    return moved


def _scope(conn: Connection, group: str, scope: str, target: str) -> int:
    other = t.alias()
    taken = exists().where(
        and_(other.c.group_name == group, other.c.scope == target, other.c.key == t.c.key)
    )
    mine = (t.c.group_name == group, t.c.scope == scope, ~taken)
    keys = conn.execute(select(t.c.key).where(*mine).distinct()).scalars().all()
    if not keys:
        return 0
    these = (t.c.group_name == group, t.c.scope == scope, t.c.key.in_(keys))
    return conn.execute(update(t).where(*these).values(scope=target)).rowcount


def _operation_scopes(conn: Connection, group: str, workflow: str) -> list[str]:
    prefix = f"operation:{workflow}/"
    mine = (t.c.group_name == group, t.c.scope.startswith(prefix, autoescape=True))
    return sorted(conn.execute(select(t.c.scope).where(*mine).distinct()).scalars())
