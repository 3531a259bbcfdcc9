"""Which workflows there are, and under which names each was measured (R37)."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from stepwell.server.database.tables import groups, release_workflows, releases, workflow_targets


def workflows(
    conn: Connection, group: str | None = None, workflow: str | None = None
) -> list[tuple[str, str]]:
    """Group and name of each workflow of the current releases, in order."""
    w = release_workflows
    query = select(groups.c.name, w.c.workflow).join(w, w.c.release_id == groups.c.release_id)
    query = query.where(groups.c.archived_at.is_(None))
    query = query if group is None else query.where(groups.c.name == group)
    query = query if workflow is None else query.where(w.c.workflow == workflow)
    rows = conn.execute(query.order_by(groups.c.name, w.c.workflow))
    return [(row[0], row[1]) for row in rows]


def names_of(conn: Connection, group: str, workflow: str) -> list[str]:
    """The names that a workflow has had, the one of today first.

    A name that another workflow of the current release has now is that one's.
    """
    w = release_workflows
    query = select(w.c.workflow, w.c.renamed_from)
    query = query.join(releases, releases.c.id == w.c.release_id)
    query = query.where(releases.c.group_name == group, w.c.renamed_from.is_not(None))
    renames = {row[0]: row[1] for row in conn.execute(query.order_by(releases.c.number))}
    if workflow not in renames:
        return [workflow]
    taken = {name for _, name in workflows(conn, group)} - {workflow}
    names = [workflow]
    while (before := renames.get(names[-1])) and before not in names and before not in taken:
        names.append(before)
    return names


def declared(conn: Connection) -> list[RowMapping]:
    """Each workflow of the current releases: group, name, and what its source says of targets."""
    w, g = release_workflows, groups
    said = w.c.entry["targets"].label("targets")
    query = select(g.c.name.label("group_name"), w.c.workflow, said)
    query = query.join(w, w.c.release_id == g.c.release_id).where(g.c.archived_at.is_(None))
    return list(conn.execute(query.order_by(g.c.name, w.c.workflow)).mappings())


def overridden(conn: Connection) -> dict[tuple[str, str], RowMapping]:
    """The targets that operators have set, by group and workflow."""
    rows = conn.execute(select(workflow_targets)).mappings()
    return {(row["group_name"], row["workflow"]): row for row in rows}
