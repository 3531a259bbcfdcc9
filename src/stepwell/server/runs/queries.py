"""The tables of runs, attempts and staged writes, and what a run needs of its release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from stepwell.server.database.prepared import Prepared
from stepwell.server.database.tables import (
    attempts,
    discoveries,
    groups,
    release_workflows,
    releases,
    run_limits,
    runs,
    staged,
)
from stepwell.step import Claim

HOLDING: Final = ("starting", "running", "cancelling")
"""States of runs that have a container, or are about to get one: they hold a slot."""

# A container asks these with each verb.
_HEADER: Final = select(runs).where(runs.c.id == bindparam("run"))
_GET: Final = Prepared(_HEADER)
_LOCK: Final = Prepared(_HEADER.with_for_update())
_ATTEMPT: Final = Prepared(
    select(attempts).where(
        attempts.c.run_id == bindparam("run"), attempts.c.number == bindparam("number")
    )
)
_STANDS: Final = select(
    attempts.c.number,
    attempts.c.started_at,
    attempts.c.revoked_at,
    exists().where(staged.c.run_id == attempts.c.run_id).label("has_staged"),
)
_STANDING: Final = Prepared(
    _STANDS.where(attempts.c.run_id == bindparam("run"), attempts.c.number == bindparam("number"))
)
# Of several runs at once, on PostgreSQL alone.
_THESE: Final = func.any(bindparam("runs", type_=ARRAY(Uuid)))
_LOCK_FREE: Final = Prepared(
    select(runs).where(runs.c.id == _THESE).order_by(runs.c.id).with_for_update(skip_locked=True)
)
_STANDINGS: Final = Prepared(
    _STANDS.add_columns(attempts.c.run_id)
    .join(runs, and_(runs.c.id == attempts.c.run_id, runs.c.attempt == attempts.c.number))
    .where(attempts.c.run_id == _THESE)
)
_STAGED: Final = Prepared(
    select(staged.c.step_id, staged.c.claim_no).where(staged.c.run_id == bindparam("run"))
)


def released(
    conn: Connection, group: str, workflow: str, release_id: UUID | None = None
) -> RowMapping | None:
    """The workflow in a release, the group's current one by default: release_id, digest,
    entry, and how many runs of the whole group may go on at once (`group_limit`)."""
    limit = discoveries.c.manifest[("group", "limit")].as_integer().label("group_limit")
    query = (
        select(release_workflows, limit)
        .outerjoin(discoveries, discoveries.c.id == release_workflows.c.discovery_id)
        .join(groups, groups.c.name == group)
        .where(
            release_workflows.c.workflow == workflow,
            release_workflows.c.release_id == (release_id or groups.c.release_id),
        )
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


def _pinned(run: RowMapping) -> Select[Any]:
    t = release_workflows
    mine = (t.c.release_id == run["release_id"], t.c.workflow == run["workflow"])
    return select(t.c.entry).where(*mine)


def entry(conn: Connection, run: RowMapping) -> dict[str, Any]:
    """The manifest entry that a run is pinned to (R37)."""
    found: dict[str, Any] = conn.execute(_pinned(run)).scalar_one()
    return found


def operations(conn: Connection, run: RowMapping) -> list[str]:
    """The names of its operations in order; none where its release is not known any more."""
    found = conn.execute(_pinned(run)).scalar_one_or_none() or {}
    return [one["name"] for one in found.get("operations", [])]


def release_of(conn: Connection, run: RowMapping) -> tuple[int, bool]:
    """The number of a run's release, below zero a trial's, and whether it is in force."""
    query = (
        select(releases.c.number, groups.c.release_id == releases.c.id)
        .join(groups, groups.c.name == releases.c.group_name)
        .where(releases.c.id == run["release_id"])
    )
    number, current = conn.execute(query).one()
    return number, bool(current)


def add_all(conn: Connection, headers: Sequence[dict[str, Any]]) -> None:
    """Insert headers that have the same columns."""
    conn.execute(insert(runs), headers)


def get(conn: Connection, run_id: UUID) -> RowMapping | None:
    """The header."""
    return _GET.one_or_none(conn, {"run": run_id})


def lock(conn: Connection, run_id: UUID) -> RowMapping | None:
    """The header, which nobody else changes until the transaction ends."""
    return _LOCK.one_or_none(conn, {"run": run_id})


def lock_free(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, RowMapping]:
    """Those headers that nobody else holds, locked; it waits for none of them."""
    return {row["id"]: row for row in _LOCK_FREE.rows(conn, {"runs": list(ids)})}


def change(conn: Connection, run_id: UUID, **values: Any) -> None:
    """Update a header that is locked."""
    conn.execute(update(runs).where(runs.c.id == run_id).values(**values))


def last_state(conn: Connection, group: str, workflow: str, states: Sequence[str]) -> str | None:
    """The state of the newest run of a workflow, but of no trial, that is in one of these."""
    of = (runs.c.group_name == group, runs.c.workflow == workflow, runs.c.state.in_(states))
    query = (
        select(runs.c.state)
        .where(*of, runs.c.trial.is_(None))
        .order_by(runs.c.created_at.desc())
        .limit(1)
    )
    found: str | None = conn.execute(query).scalar_one_or_none()
    return found


def in_states(states: Sequence[str]) -> ColumnElement[bool]:
    """Whether a run is in one of these states; a superseded one is not *failed* any more."""
    plain = [one for one in states if one not in ("failed", "superseded")]
    failed = runs.c.state == "failed"
    clauses: list[ColumnElement[bool]] = [runs.c.state.in_(plain)]
    if "failed" in states:
        clauses.append(and_(failed, runs.c.superseded_by.is_(None)))
    if "superseded" in states:
        clauses.append(and_(failed, runs.c.superseded_by.is_not(None)))
    return or_(*clauses)


def supersede(conn: Connection, run_id: UUID, by: UUID) -> None:
    """The work of a failed run was done by another one."""
    mine = (runs.c.id == run_id, runs.c.state == "failed", runs.c.superseded_by.is_(None))
    conn.execute(update(runs).where(*mine).values(superseded_by=by))


def in_place_of(conn: Connection, run_id: UUID) -> RowMapping | None:
    """What says which run another one does the work of: state, ids and parameters."""
    names = ("state", "repeat_of", "reexecution_of", "parameters")
    query = select(*(runs.c[name] for name in names)).where(runs.c.id == run_id)
    return conn.execute(query).mappings().one_or_none()


def last_success(conn: Connection, run: RowMapping) -> RowMapping | None:
    """The newest run of the same workflow, but no trial, begun before it, that succeeded."""
    query = select(runs).where(
        runs.c.group_name == run["group_name"],
        runs.c.workflow == run["workflow"],
        runs.c.state == "succeeded",
        runs.c.trial.is_(None),
        runs.c.created_at < run["created_at"],
    )
    newest = query.order_by(runs.c.created_at.desc()).limit(1)
    return conn.execute(newest).mappings().one_or_none()


def open_reexecution(conn: Connection, run_id: UUID) -> UUID | None:
    """A re-execution of the run that has not ended."""
    ended = ("succeeded", "failed", "cancelled")
    mine = (runs.c.reexecution_of == run_id, runs.c.state.not_in(ended))
    return conn.execute(select(runs.c.id).where(*mine).limit(1)).scalar()


# -- limits ------------------------------------------------------------------------


def limits(conn: Connection) -> Sequence[RowMapping]:
    """What operators have said, by kind and name."""
    query = select(run_limits).order_by(run_limits.c.kind, run_limits.c.name)
    return conn.execute(query).mappings().all()


def limit(conn: Connection, kind: str, name: str) -> RowMapping | None:
    """What an operator has said of one."""
    query = select(run_limits).where(run_limits.c.kind == kind, run_limits.c.name == name)
    return conn.execute(query).mappings().one_or_none()


def put_limit(conn: Connection, kind: str, name: str, **values: Any) -> None:
    """Insert a limit, or replace the one of its kind and name."""
    drop_limit(conn, kind, name)
    conn.execute(insert(run_limits).values(kind=kind, name=name, **values))


def drop_limit(conn: Connection, kind: str, name: str) -> bool:
    """Remove a limit; False if there is none."""
    of = (run_limits.c.kind == kind, run_limits.c.name == name)
    return conn.execute(delete(run_limits).where(*of)).rowcount > 0


def declared_pools(conn: Connection) -> list[str]:
    """The pools that workflows of current releases name."""
    pool = release_workflows.c.entry["pool"].as_string()
    query = (
        select(pool)
        .distinct()
        .join(groups, groups.c.release_id == release_workflows.c.release_id)
        .where(pool.is_not(None))
    )
    return sorted(conn.execute(query).scalars())


# -- attempts ----------------------------------------------------------------------


def add_attempt(conn: Connection, **values: Any) -> None:
    """Insert an attempt."""
    conn.execute(insert(attempts).values(**values))


def attempts_of(conn: Connection, run_id: UUID) -> Sequence[RowMapping]:
    """All attempts, oldest first."""
    query = select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.number)
    return conn.execute(query).mappings().all()


def attempt(conn: Connection, run_id: UUID, number: int) -> RowMapping | None:
    """One attempt."""
    return _ATTEMPT.one_or_none(conn, {"run": run_id, "number": number})


def standing(conn: Connection, run_id: UUID, number: int) -> RowMapping | None:
    """Of one attempt, what a verb of its container needs: whether its token is revoked, when it
    started, and whether anything is staged for the run."""
    return _STANDING.one_or_none(conn, {"run": run_id, "number": number})


def standings(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, RowMapping]:
    """As `standing`, of the newest attempts of these runs."""
    return {row["run_id"]: row for row in _STANDINGS.rows(conn, {"runs": list(ids)})}


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


def staged_state(conn: Connection, run_id: UUID, most: int) -> int:
    """How many writes of state are staged for a run, counted up to `most`."""
    mine = (staged.c.run_id == run_id, staged.c.kind == "state")
    some = select(staged.c.id).where(*mine).limit(most).subquery()
    return int(conn.execute(select(func.count()).select_from(some)).scalar_one())


def staged_claims(conn: Connection, run_id: UUID) -> set[Claim]:
    """The claims of a run that something is staged under."""
    return {Claim(**row) for row in _STAGED.rows(conn, {"run": run_id})}


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


def staged_reports(conn: Connection, step_id: UUID, claim_no: int) -> Sequence[RowMapping]:
    """Id and payload of the reports that are staged under one claim."""
    of = (staged.c.step_id == step_id, staged.c.claim_no == claim_no, staged.c.kind == "report")
    return conn.execute(select(staged.c.id, staged.c.payload).where(*of)).mappings().all()


def unstage(conn: Connection, staged_id: UUID) -> list[UUID]:
    """Remove one staged write; the blob that it referred to."""
    gone = delete(staged).where(staged.c.id == staged_id).returning(staged.c.blob_id)
    return [one for one in conn.execute(gone).scalars() if one is not None]


def drop_staged(conn: Connection, run_id: UUID) -> list[UUID]:
    """Remove what no settlement will take any more; the blobs that it has referred to."""
    gone = delete(staged).where(staged.c.run_id == run_id).returning(staged.c.blob_id)
    return [one for one in conn.execute(gone).scalars() if one is not None]
