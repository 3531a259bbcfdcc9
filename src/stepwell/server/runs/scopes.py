"""Where a run's state stands: under today's names, and for a trial in a place of its own.

A run is pinned to the release that it was started with, and knows its workflow by
that name. What was renamed since then has taken its state along (R37).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, RowMapping, or_, select

from stepwell.server.database.tables import release_workflows, releases
from stepwell.server.state import service as state
from stepwell.server.state.records import Author, Entry, Write


def read(conn: Connection, run: RowMapping, scope: str, key: str) -> Entry | None:
    """A value as this run finds it; None where there is none."""
    scope = now_called(conn, run, state.checked_scope(scope))
    if run["trial"]:
        return state.current_of_trial(conn, run["group_name"], run["id"], scope, key)
    return state.current(conn, run["group_name"], scope, key)


def write(conn: Connection, run: RowMapping, wanted: Write, author: Author) -> int:
    """Write for this run; the version. Raises as `state.service.write`."""
    scope = now_called(conn, run, wanted.scope)
    wanted = wanted.model_copy(update={"scope": scope})
    if run["trial"]:
        return state.write_of_trial(conn, run["group_name"], run["id"], wanted, author)
    return state.write(conn, run["group_name"], wanted, author)


def keys(
    conn: Connection, run: RowMapping, scope: str, prefix: str, after: str, limit: int
) -> list[str]:
    """At most so many keys of a scope, in order; a trial finds those of its own too."""
    scope = now_called(conn, run, state.checked_scope(scope))
    if run["trial"]:
        group = run["group_name"]
        return state.keys_of_trial(conn, group, run["id"], scope, prefix, after, limit)
    return state.keys(conn, run["group_name"], scope, prefix, after, limit)


def now_called(conn: Connection, run: RowMapping, scope: str) -> str:
    """The scope under the names of the current release."""
    kind, _, name = scope.partition(":")
    if not name:
        return scope
    if run["trial"]:
        return _of_trial(run["trial"], kind, name)
    workflow, _, operation = name.partition("/")
    for row in _renames_since(conn, run):
        if (row["renamed_from"] or row["workflow"]) != workflow:
            continue
        workflow = row["workflow"]
        names = {old: new for new, old in (row["renamed_operations"] or {}).items()}
        operation = names.get(operation, operation)
    return _scope(kind, workflow, operation)


def _of_trial(trial: Any, kind: str, name: str) -> str:
    """What is tried is not released yet, so what it continues still has its old name."""
    workflow, _, operation = name.partition("/")
    if workflow == trial["workflow"]:
        workflow = trial["renamed_from"] or workflow
        operation = (trial["renamed_operations"] or {}).get(operation, operation)
    return _scope(kind, workflow, operation)


def _scope(kind: str, workflow: str, operation: str) -> str:
    return f"{kind}:{workflow}{'/' + operation if operation else ''}"


def _renames_since(conn: Connection, run: RowMapping) -> Iterable[RowMapping]:
    """What was renamed in the run's group after its release, oldest first."""
    own = select(releases.c.number).where(releases.c.id == run["release_id"]).scalar_subquery()
    renamed = (
        release_workflows.c.renamed_from.is_not(None),
        release_workflows.c.renamed_operations.is_not(None),
    )
    query = (
        select(
            release_workflows.c.workflow,
            release_workflows.c.renamed_from,
            release_workflows.c.renamed_operations,
        )
        .join(releases, releases.c.id == release_workflows.c.release_id)
        .where(releases.c.group_name == run["group_name"], releases.c.number > own)
        .where(or_(*renamed))
        .order_by(releases.c.number)
    )
    return conn.execute(query).mappings().all()
