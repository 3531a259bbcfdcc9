"""SQL of the room."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, insert, select, update

from stepwell.server.database.tables import runs, step_jobs

_KEY = (step_jobs.c.step_id, step_jobs.c.number)


def get(conn: Connection, step_id: UUID, number: int) -> RowMapping | None:
    """One launch."""
    query = select(step_jobs).where(_KEY[0] == step_id, _KEY[1] == number)
    return conn.execute(query).mappings().first()


def lock(conn: Connection, step_id: UUID, number: int) -> RowMapping | None:
    """The same, for this transaction alone."""
    query = select(step_jobs).where(_KEY[0] == step_id, _KEY[1] == number)
    return conn.execute(query.with_for_update()).mappings().first()


def of_step(conn: Connection, step_id: UUID) -> list[RowMapping]:
    """All launches of a step, the newest first."""
    query = select(step_jobs).where(_KEY[0] == step_id).order_by(_KEY[1].desc())
    return list(conn.execute(query).mappings())


def unfinished(conn: Connection) -> list[RowMapping]:
    """Every launch that has not ended, oldest first."""
    query = select(step_jobs).where(step_jobs.c.finished_at.is_(None))
    return list(conn.execute(query.order_by(step_jobs.c.created_at)).mappings())


def add(conn: Connection, **values: Any) -> None:
    """A new launch."""
    conn.execute(insert(step_jobs).values(**values))


def change(conn: Connection, step_id: UUID, number: int, **values: Any) -> None:
    """Of one launch."""
    conn.execute(update(step_jobs).where(_KEY[0] == step_id, _KEY[1] == number).values(**values))


def revoke_before(conn: Connection, step_id: UUID, number: int, **values: Any) -> None:
    """Of the step's earlier launches, those that were not revoked."""
    earlier = (_KEY[0] == step_id, _KEY[1] < number, step_jobs.c.revoked_at.is_(None))
    conn.execute(update(step_jobs).where(*earlier).values(**values))


def is_run(conn: Connection, flow_id: UUID) -> bool:
    """Whether a flow is a run of a workflow."""
    return conn.execute(select(runs.c.id).where(runs.c.id == flow_id)).first() is not None
