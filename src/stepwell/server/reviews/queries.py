"""Releases and decisions in the database, and what lives in a group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    func,
    insert,
    select,
    update,
)

from stepwell.server.database.tables import (
    decisions,
    discoveries,
    groups,
    release_workflows,
    releases,
    runs,
    schedules,
)

Row: TypeAlias = RowMapping

_UNFINISHED = ("waiting", "starting", "running", "cancelling")


def current(conn: Connection, group: str) -> Row | None:
    """The current release of a group."""
    query = select(releases).join(groups, groups.c.release_id == releases.c.id)
    return conn.execute(query.where(groups.c.name == group)).mappings().one_or_none()


def numbered(conn: Connection, group: str, number: int) -> Row | None:
    """The release of a group with this number."""
    query = select(releases).where(*_real(group), releases.c.number == number)
    return conn.execute(query).mappings().one_or_none()


def listed(group: str) -> Select[Any]:
    """The releases of a group, to be paged by number."""
    return select(releases).where(*_real(group))


def _real(group: str) -> tuple[ColumnElement[bool], ...]:
    """A number below zero is a trial's, and no release that anybody has approved."""
    return (releases.c.group_name == group, releases.c.number > 0)


def next_number(conn: Connection, group: str) -> int:
    """The number of the group's next release; the caller holds the group."""
    query = select(func.max(releases.c.number)).where(*_real(group))
    return (conn.execute(query).scalar() or 0) + 1


def last_filled(conn: Connection, group: str) -> int | None:
    """The number of the newest release of a group that has workflows."""
    query = (
        select(func.max(releases.c.number))
        .join(release_workflows, release_workflows.c.release_id == releases.c.id)
        .where(*_real(group))
    )
    found: int | None = conn.execute(query).scalar()
    return found


def contents(conn: Connection, release_id: UUID | None) -> Sequence[Row]:
    """The workflows of a release, by name; nothing for None."""
    mine = release_workflows.c.release_id == release_id
    query = select(release_workflows).where(mine).order_by(release_workflows.c.workflow)
    return conn.execute(query).mappings().all() if release_id else []


def renames_after(
    conn: Connection, group: str, number: int, up_to: int | None = None
) -> list[tuple[str, str]]:
    """Old and new name of each rename that came after a release, oldest first."""
    query = (
        select(release_workflows.c.renamed_from, release_workflows.c.workflow)
        .join(releases, releases.c.id == release_workflows.c.release_id)
        .where(releases.c.group_name == group, releases.c.number > number)
        .where(release_workflows.c.renamed_from.is_not(None))
        .order_by(releases.c.number)
    )
    query = query if up_to is None else query.where(releases.c.number <= up_to)
    return [(row[0], row[1]) for row in conn.execute(query)]


def renames(conn: Connection, group: str, one: int, other: int) -> dict[str, str]:
    """Name in release `other` -> name in release `one`, of what was renamed between them."""
    between = renames_after(conn, group, min(one, other), up_to=max(one, other))
    names: dict[str, str] = {}
    for old, new in between:
        names[new] = names.pop(old, old)
    kept = {new: old for new, old in names.items() if new != old}
    return kept if one < other else {old: new for new, old in kept.items()}


def add(conn: Connection, release: dict[str, Any], rows: Iterable[dict[str, Any]]) -> None:
    """Insert a release with its workflows, and make it the group's current one."""
    keep(conn, release, rows)
    mine = groups.c.name == release["group_name"]
    conn.execute(update(groups).where(mine).values(release_id=release["id"]))


def keep(conn: Connection, release: dict[str, Any], rows: Iterable[dict[str, Any]]) -> None:
    """Insert a release with its workflows."""
    conn.execute(insert(releases).values(**release))
    found = [{**row, "release_id": release["id"]} for row in rows]
    if found:
        conn.execute(insert(release_workflows), found)


def next_trial(conn: Connection, group: str) -> int:
    """The next number for what a trial is pinned to; the caller holds the group."""
    query = select(func.min(releases.c.number)).where(releases.c.group_name == group)
    return min(conn.execute(query).scalar() or 0, 0) - 1


def decide(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert decisions."""
    if rows:
        conn.execute(insert(decisions), list(rows))


def decided(conn: Connection, group: str, digest: str) -> dict[str, Row]:
    """Workflow -> the last decision about it in any discovery of this digest."""
    query = (
        select(decisions)
        .join(discoveries, discoveries.c.id == decisions.c.discovery_id)
        .where(discoveries.c.group_name == group, discoveries.c.digest == digest)
        .order_by(decisions.c.decided_at, decisions.c.id)
    )
    return {row["workflow"]: row for row in conn.execute(query).mappings()}


def reviewable(conn: Connection) -> Sequence[str]:
    """Groups that are in use, by name."""
    query = select(groups.c.name).where(groups.c.archived_at.is_(None)).order_by(groups.c.name)
    return conn.execute(query).scalars().all()


def active_schedules(conn: Connection, group: str) -> Sequence[Row]:
    """Schedules of the group that are in force."""
    mine = (schedules.c.group_name == group, schedules.c.active, schedules.c.origin != "removed")
    return conn.execute(select(schedules).where(*mine)).mappings().all()


def unfinished_runs(conn: Connection, group: str) -> Sequence[Row]:
    """Runs of the group that have not ended: id, workflow, number of their release.

    Trials are no runs of a release, and end by themselves.
    """
    mine = (runs.c.group_name == group, runs.c.state.in_(_UNFINISHED), runs.c.trial.is_(None))
    query = (
        select(runs.c.id, runs.c.workflow, releases.c.number.label("release"))
        .join(releases, releases.c.id == runs.c.release_id)
        .where(*mine)
        .order_by(runs.c.created_at)
    )
    return conn.execute(query).mappings().all()


def snapshot(conn: Connection, group: str) -> Row:
    """What a release remembers of its group: image, names of variables, secret references,
    launch options."""
    names = ("image", "environment", "secrets", "launch_options")
    columns = [groups.c[name] for name in names]
    return conn.execute(select(*columns).where(groups.c.name == group)).mappings().one()
