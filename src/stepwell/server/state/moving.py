"""State goes along when a workflow or its operations are called something else (R37).

What the name had before, of a workflow that was called so once, is a stranger's: whoever
continues under it must not find that (decision 118).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, func, insert, select, update

from stepwell import clock
from stepwell.server.database.tables import state_entries as t
from stepwell.server.state import queries


def move(conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]) -> int:
    """Give what a workflow keeps, and its operations, the new names; how many versions moved.

    Of a key that the new name has already, the versions that come go above those that are there;
    one that only a stranger has is deleted. So nothing is lost: the history has it all.

    Parameters
    ----------
    operations : new name -> old name, of operations that were renamed too.
    """
    scopes = dict(_scopes(conn, group, old, new, operations))
    return sum(
        _scope(conn, group, source, target, f"renamed from {old}"[:100])
        for target, source in scopes.items()
        if source != target
    )


def _scopes(
    conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Every scope that has another owner now, and whence that one comes."""
    if old != new:
        yield f"workflow:{new}", f"workflow:{old}"
        for name in _operations(conn, group, new):
            yield f"operation:{new}/{name}", f"operation:{old}/{name}"
    names = {was: one for one, was in operations.items()}
    for name in (*_operations(conn, group, old), *names):
        yield f"operation:{new}/{names.get(name, name)}", f"operation:{old}/{name}"


def _scope(conn: Connection, group: str, scope: str, target: str, by: str) -> int:
    there = _heights(conn, group, target)
    keys = _heights(conn, group, scope).keys()
    _bury(conn, group, target, there.keys() - keys, by)
    mine = (t.c.group_name == group, t.c.scope == scope)
    moved = 0
    for key in sorted(keys & there.keys()):
        above = {"scope": target, "version": t.c.version + there[key]}
        moved += conn.execute(update(t).where(*mine, t.c.key == key).values(**above)).rowcount
    return moved + conn.execute(update(t).where(*mine).values(scope=target)).rowcount


def _heights(conn: Connection, group: str, scope: str) -> dict[str, int]:
    """The newest version of each key."""
    query = select(t.c.key, func.max(t.c.version)).where(t.c.group_name == group)
    rows = conn.execute(query.where(t.c.scope == scope).group_by(t.c.key))
    return {row[0]: row[1] for row in rows}


def _bury(conn: Connection, group: str, scope: str, keys: Collection[str], by: str) -> None:
    """A version that says that there is nothing, where something is."""
    rows = (queries.latest(conn, group, scope, key) for key in sorted(keys))
    gone = {"value": None, "deleted": True, "run_id": None, "step_id": None, "expires_at": None}
    made = {"written_by": by, "written_at": clock.now()}
    new = [
        {**row, "version": row["version"] + 1, **gone, **made}
        for row in rows
        if row is not None and not row["deleted"]
    ]
    if new:
        conn.execute(insert(t), new)


def _operations(conn: Connection, group: str, workflow: str) -> list[str]:
    """The operations of a workflow that have kept something."""
    prefix = f"operation:{workflow}/"
    mine = (t.c.group_name == group, t.c.scope.startswith(prefix, autoescape=True))
    found = conn.execute(select(t.c.scope).where(*mine).distinct()).scalars()
    return sorted(scope.removeprefix(prefix) for scope in found)
