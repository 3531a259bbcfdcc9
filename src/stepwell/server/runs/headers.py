"""A run's header: found, and as it is shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell.errors import NotFound
from stepwell.server.runs import queries
from stepwell.server.runs.records import PRIORITIES, Run, RunState


class RunNotFound(NotFound):
    """No run has this id."""

    code = "run-not-found"


def get(conn: Connection, run_id: UUID) -> Run:
    """A run's header; raises `RunNotFound`."""
    return shown(found(queries.get(conn, run_id), run_id))


def found(row: RowMapping | None, run_id: UUID) -> RowMapping:
    """The row itself; raises `RunNotFound` for None."""
    if row is None:
        raise RunNotFound(f"There is no run {run_id}.", fix="See `stepwell runs list`.")
    return row


def shown(row: RowMapping) -> Run:
    """A header as it is shown."""
    return Run(**fields(row))


def fields(row: RowMapping) -> dict[str, Any]:
    """The columns, and what is made of them when they are read."""
    over = row["state"] == RunState.FAILED and row["superseded_by"] is not None
    own = {
        "group": row["group_name"],
        "state": RunState.SUPERSEDED if over else row["state"],
        "labels": row["labels"] or {},
        "priority": PRIORITIES[row["band"]],
    }
    return {**row, **own}
