"""The tables of runs, attempts and staged writes, and what a run needs of its release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from stepwell.server.database.tables import attempts, groups, release_workflows, runs, staged


def released(conn: Connection, group: str, workflow: str) -> RowMapping | None:
    """The workflow in the group's current release: release_id, digest, entry."""
    query = (
        select(release_workflows)
        .join(groups, groups.c.release_id == release_workflows.c.release_id)
        .where(groups.c.name == group, release_workflows.c.workflow == workflow)
    )
    return conn.execute(query).mappings().one_or_none()


def workflow_names(conn: Connection, group: str) -> list[str]:
    """The workflows of the group's current release."""
    query = (
        select(release_workflows.c.workflow)
        .join(groups, groups.c.release_id == release_workflows.c.release_id)
        .where(groups.c.name == group)
    )
    return sorted(conn.execute(query).scalars())


def entry(conn: Connection, run: RowMapping) -> dict[str, Any]:
    """The manifest entry that a run is pinned to (R37)."""
    query = select(release_workflows.c.entry).where(
        release_workflows.c.release_id == run["release_id"],
        release_workflows.c.workflow == run["workflow"],
    )
    found: dict[str, Any] = conn.execute(query).scalar_one()
    return found


def add(conn: Connection, **values: Any) -> None:
    """Insert a header."""
    conn.execute(insert(runs).values(**values))


def get(conn: Connection, run_id: UUID) -> RowMapping | None:
    """The header."""
    return conn.execute(select(runs).where(runs.c.id == run_id)).mappings().one_or_none()


def lock(conn: Connection, run_id: UUID) -> RowMapping | None:
    """The header, which nobody else changes until the transaction ends."""
    query = select(runs).where(runs.c.id == run_id).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def change(conn: Connection, run_id: UUID, **values: Any) -> None:
    """Update a header that is locked."""
    conn.execute(update(runs).where(runs.c.id == run_id).values(**values))


def supersede(conn: Connection, run: RowMapping) -> None:
    """A run that repeats failed ones has succeeded: they need nobody's attention any more."""
    earlier, left = run["repeat_of"], 100
    while earlier is not None and left:
        failed = (runs.c.id == earlier, runs.c.state == "failed", runs.c.superseded_by.is_(None))
        conn.execute(update(runs).where(*failed).values(superseded_by=run["id"]))
        query = select(runs.c.repeat_of).where(runs.c.id == earlier)
        earlier, left = conn.execute(query).scalar_one_or_none(), left - 1


def all_runs() -> Select[Any]:
    """Every header, to be narrowed."""
    return select(runs)


def last_state(conn: Connection, group: str, workflow: str, states: Sequence[str]) -> str | None:
    """The state of the newest run of a workflow that is in one of these."""
    of = (runs.c.group_name == group, runs.c.workflow == workflow, runs.c.state.in_(states))
    query = select(runs.c.state).where(*of).order_by(runs.c.created_at.desc()).limit(1)
    found: str | None = conn.execute(query).scalar_one_or_none()
    return found


def add_attempt(conn: Connection, **values: Any) -> None:
    """Insert an attempt."""
    conn.execute(insert(attempts).values(**values))


def attempts_of(conn: Connection, run_id: UUID) -> Sequence[RowMapping]:
    """All attempts, oldest first."""
    query = select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.number)
    return conn.execute(query).mappings().all()


def attempt(conn: Connection, run_id: UUID, number: int) -> RowMapping | None:
    """One attempt."""
    query = select(attempts).where(attempts.c.run_id == run_id, attempts.c.number == number)
    return conn.execute(query).mappings().one_or_none()


def change_attempt(conn: Connection, run_id: UUID, number: int, **values: Any) -> None:
    """Update an attempt of a run that is locked."""
    of = (attempts.c.run_id == run_id, attempts.c.number == number)
    conn.execute(update(attempts).where(*of).values(**values))


def open_launches(conn: Connection) -> Sequence[RowMapping]:
    """What has been launched and is not known to have ended: run_id, handle, launcher."""
    query = (
        select(attempts, groups.c.launcher)
        .join(runs, runs.c.id == attempts.c.run_id)
        .join(groups, groups.c.name == runs.c.group_name)
        .where(attempts.c.launched_at.is_not(None), attempts.c.finished_at.is_(None))
    )
    return conn.execute(query).mappings().all()


def stage(conn: Connection, **values: Any) -> None:
    """Keep a write until its settlement."""
    conn.execute(insert(staged).values(**values))


def is_staged(conn: Connection, staged_id: UUID) -> bool:
    """Whether a write of this id is kept."""
    query = select(staged.c.id).where(staged.c.id == staged_id)
    return conn.execute(query).first() is not None


def take_staged(conn: Connection, step_id: UUID, claim_no: int) -> Sequence[RowMapping]:
    """Remove and return what was staged under one claim, in the order of writing."""
    of = (staged.c.step_id == step_id, staged.c.claim_no == claim_no)
    rows = (
        conn.execute(select(staged).where(*of).order_by(staged.c.created_at, staged.c.id))
        .mappings()
        .all()
    )
    conn.execute(delete(staged).where(*of))
    return rows


def drop_staged(conn: Connection, run_id: UUID) -> list[UUID]:
    """Remove what no settlement will take any more; the blobs that it has referred to."""
    gone = delete(staged).where(staged.c.run_id == run_id).returning(staged.c.blob_id)
    return [one for one in conn.execute(gone).scalars() if one is not None]
