"""Look up what is in force, with how it went lately."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from stepwell.server.database.tables import release_workflows, releases
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.runs import service as runs
from stepwell.server.workflows import queries
from stepwell.server.workflows.queries import Name
from stepwell.server.workflows.records import Outcome, Version, Workflow, WorkflowDetail

KEY: Final = (releases.c.group_name, release_workflows.c.workflow)


def listed(
    conn: Connection, pages: Paging, *, group: str | None = None, text: str | None = None
) -> Page[Workflow]:
    """Workflows in force by group and name."""
    query = queries.in_force()
    if group is not None:
        query = query.where(releases.c.group_name == group)
    if text:
        query = queries.containing(query, text)
    page = paged(conn, query, pages, by=KEY, make=lambda row: row, newest_first=False)
    return pages.page(_filled(conn, page.items), page.next)


def get(conn: Connection, group: str, workflow: str) -> WorkflowDetail:
    """One workflow with its entry and its versions.

    Raises
    ------
    GroupNotFound, GroupArchived, WorkflowNotReleased.
    """
    runs.released(conn, group, workflow)
    query = queries.in_force().where(KEY[0] == group, KEY[1] == workflow)
    row = conn.execute(query).mappings().one()
    (shown,) = _filled(conn, [row])
    return WorkflowDetail(
        **shown.model_dump(),
        entry=row["entry"],
        versions=[_version(one) for one in reversed(_versions(conn, group, [workflow])[workflow])],
    )


def _filled(conn: Connection, rows: Sequence[RowMapping]) -> list[Workflow]:
    names = [(row["group_name"], row["workflow"]) for row in rows]
    outcomes, plans = queries.newest_runs(conn, names), queries.plans(conn, names)
    since = dict(_since(conn, names))
    return [
        _workflow(row, outcomes.get(name, []), plans.get(name), since[name])
        for row, name in zip(rows, names, strict=True)
    ]


def _workflow(
    row: RowMapping, newest: Sequence[RowMapping], plan: RowMapping | None, since: int
) -> Workflow:
    entry: dict[str, Any] = row["entry"]
    return Workflow(
        group=row["group_name"],
        workflow=row["workflow"],
        description=entry.get("description", ""),
        tags=entry.get("tags", []),
        owner=entry.get("owner") or row["owner"] or None,
        release=row["number"],
        since=since,
        digest=row["digest"],
        operations=len(entry.get("operations", [])),
        outcomes=[_outcome(one) for one in reversed(newest)],
        schedules=0 if plan is None else plan["schedules"],
        paused=plan is not None and plan["paused"] == plan["schedules"],
        next_due=None if plan is None else plan["next_due"],
    )


def _outcome(row: RowMapping) -> Outcome:
    begun, ended = row["started_at"], row["finished_at"]
    known = begun is not None and ended is not None
    state = "superseded" if row["superseded_by"] else row["state"]
    return Outcome(
        run_id=row["id"],
        state=state,
        at=row["created_at"],
        seconds=(ended - begun).total_seconds() if known else None,
    )


def _since(conn: Connection, names: Sequence[Name]) -> Iterator[tuple[Name, int]]:
    for group in dict.fromkeys(group for group, _ in names):
        mine = [workflow for of, workflow in names if of == group]
        for workflow, rows in _versions(conn, group, mine).items():
            yield (group, workflow), rows[-1]["number"]


def _versions(
    conn: Connection, group: str, workflows: Sequence[str]
) -> dict[str, list[RowMapping]]:
    """Workflow -> the releases that brought it or changed it, oldest first."""
    found: dict[str, list[RowMapping]] = {name: [] for name in workflows}
    last: dict[str, tuple[int, str]] = {}
    for row in queries.history(conn, group, workflows):
        name, number, digest = row["workflow"], row["number"], row["digest"]
        if last.get(name) != (number - 1, digest):  # the same image declares the same
            found[name].append(row)
        last[name] = (number, digest)
    return found


def _version(row: RowMapping) -> Version:
    return Version(
        release=row["number"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        confirmed_by=row["confirmed_by"],
        reason=row["reason"],
        digest=row["digest"],
        renamed_from=row["renamed_from"],
        rollback_of=row["rollback_of"],
    )
