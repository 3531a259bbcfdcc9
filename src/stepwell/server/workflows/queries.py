"""Workflows in force and their newest runs, over the tables of several rooms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    Text,
    cast,
    func,
    or_,
    select,
    tuple_,
    union_all,
)

from stepwell.server.database.tables import (
    discoveries,
    groups,
    release_workflows,
    releases,
    runs,
    schedules,
)

Name: TypeAlias = tuple[str, str]
"""Of a group and of a workflow."""

LATELY: Final = 20
"""So many runs of a workflow are shown."""
AT_ONCE: Final = 50
"""Workflows in one statement: SQLite unites at most 500 queries, and parses each."""
OWNER: Final = discoveries.c.manifest["group"]["owner"].as_string()
"""Of a group; a workflow may have another one."""
_BETWEEN: Final = frozenset('[]",')
"""What stands between tags in their JSON, and is part of none."""


def in_force() -> Select[Any]:
    """Each workflow of a current release of a group that is in use."""
    t = release_workflows
    return (
        select(
            releases.c.group_name,
            t.c.workflow,
            t.c.digest,
            t.c.entry,
            releases.c.number,
            OWNER.label("owner"),
        )
        .join(releases, releases.c.id == t.c.release_id)
        .join(groups, groups.c.release_id == releases.c.id)
        .join(discoveries, discoveries.c.id == t.c.discovery_id)
        .where(groups.c.archived_at.is_(None))
    )


def containing(query: Select[Any], text: str) -> Select[Any]:
    """Those whose group, name, description, owner, tags or digest have this text, in any case."""
    t = release_workflows.c
    said = [t.entry[name].as_string() for name in ("description", "owner")]
    columns = [releases.c.group_name, t.workflow, t.digest, OWNER, *said]
    if not _BETWEEN.intersection(text):
        columns.append(cast(t.entry["tags"], Text))
    return query.where(or_(*(one.icontains(text, autoescape=True) for one in columns)))


def newest_runs(conn: Connection, names: Sequence[Name]) -> dict[Name, list[RowMapping]]:
    """The newest runs of each workflow, newest first; trials are none of them."""
    found: dict[Name, list[RowMapping]] = {}
    for some in _portions(names):
        parts = [select(_of(name).subquery()) for name in some]
        for row in conn.execute(union_all(*parts)).mappings():
            found.setdefault((row["group_name"], row["workflow"]), []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return found


def _of(name: Name) -> Select[Any]:
    c = runs.c
    instants = (c.created_at, c.started_at, c.finished_at)
    return (
        select(c.id, c.group_name, c.workflow, c.state, c.superseded_by, *instants)
        .where(c.group_name == name[0], c.workflow == name[1], c.trial.is_(None))
        .order_by(c.created_at.desc(), c.id.desc())
        .limit(LATELY)
    )


def plans(conn: Connection, names: Sequence[Name]) -> dict[Name, RowMapping]:
    """How many schedules each has, how many of them are paused, and the next due instant."""
    c = schedules.c
    paused = c.paused_at.is_not(None)
    found: dict[Name, RowMapping] = {}
    for some in _portions(names):
        query = (
            select(
                c.group_name,
                c.workflow,
                func.count().label("schedules"),
                func.count(c.paused_at).label("paused"),
                func.min(c.next_due).filter(~paused).label("next_due"),
            )
            .where(c.active.is_(True), tuple_(c.group_name, c.workflow).in_(some))
            .group_by(c.group_name, c.workflow)
        )
        for row in conn.execute(query).mappings():
            found[row["group_name"], row["workflow"]] = row
    return found


def history(conn: Connection, group: str, workflows: Sequence[str]) -> Sequence[RowMapping]:
    """These workflows in every release of their group, oldest first; trials left out."""
    t = release_workflows
    query = (
        select(releases, t.c.workflow, t.c.digest, t.c.renamed_from)
        .join(t, releases.c.id == t.c.release_id)
        .where(releases.c.group_name == group, releases.c.number > 0)
        .where(t.c.workflow.in_(workflows))
        .order_by(releases.c.number)
    )
    return conn.execute(query).mappings().all()


def _portions(names: Sequence[Name]) -> Iterator[Sequence[Name]]:
    for begin in range(0, len(names), AT_ONCE):
        yield names[begin : begin + AT_ONCE]
