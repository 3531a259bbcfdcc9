"""Policies in the database."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from stepwell.server.database.tables import retention_policies as t
from stepwell.server.database.tables import runs

Row: TypeAlias = RowMapping


def policies(conn: Connection) -> dict[str, Row]:
    """What somebody has decided, by kind."""
    return {row["kind"]: row for row in conn.execute(select(t)).mappings()}


def replace(conn: Connection, kind: str, **values: Any) -> None:
    """Set the policy of a kind."""
    drop(conn, kind)
    conn.execute(insert(t).values(kind=kind, **values))


def drop(conn: Connection, kind: str) -> None:
    """Forget the policy of a kind."""
    conn.execute(delete(t).where(t.c.kind == kind))


def mark(conn: Connection, run_id: UUID) -> Row | None:
    """The run's mark; None if there is no such run."""
    query = select(runs.c.keep_reason).where(runs.c.id == run_id).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def set_mark(conn: Connection, run_id: UUID, reason: str | None) -> None:
    """Keep a run, or no more."""
    conn.execute(update(runs).where(runs.c.id == run_id).values(keep_reason=reason))
