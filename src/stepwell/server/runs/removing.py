"""Runs go with all that is part of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Table, delete, select

from stepwell.server.blobs import service as blobs
from stepwell.server.database.tables import attempts, run_labels, runs, staged
from stepwell.server.logs import service as logs
from stepwell.server.runs.records import ENDED

PARTS: Final[tuple[Table, ...]] = (attempts, run_labels, staged)
"""Tables whose rows go with their run. A run stays while any other table names it."""


def remove(conn: Connection, ids: Sequence[UUID]) -> None:
    """Remove runs, with their logs and large results; nothing else may name them."""
    logs.drop_of_runs(conn, ids)
    blobs.drop_of_runs(conn, ids)
    for table in PARTS:
        conn.execute(delete(table).where(key_of(table).in_(ids)))
    conn.execute(delete(runs).where(runs.c.id.in_(ids)))


def ended_of_group(conn: Connection, group: str, limit: int) -> int:
    """Remove runs of a group that have ended, whatever their age; how many."""
    that = (runs.c.group_name == group, runs.c.state.in_(ENDED))
    ids = list(conn.execute(select(runs.c.id).where(*that).limit(limit)).scalars())
    remove(conn, ids)
    return len(ids)


def key_of(table: Table) -> Any:
    """The column that refers to a run; None if there is none."""
    found = (key.parent for key in table.foreign_keys if key.column is runs.c.id)
    return next(found, None)
