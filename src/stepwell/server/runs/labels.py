"""Labels of runs: words that people and schedules give them, to find them by.

The header keeps them as JSON for reading, `run_labels` by key and value for finding;
both are written here, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from stepwell.errors import InvalidInput
from stepwell.server.database.tables import run_labels, runs, schedules
from stepwell.server.runs import queries


class LabelUnreadable(InvalidInput):
    """A filter by label that is not key:value."""

    code = "label-unreadable"


def put(conn: Connection, run_id: UUID, labels: Mapping[str, str]) -> None:
    """These are the run's labels from now on; its header is locked, or new."""
    conn.execute(delete(run_labels).where(run_labels.c.run_id == run_id))
    rows = [{"run_id": run_id, "key": key, "value": value} for key, value in labels.items()]
    if rows:
        conn.execute(insert(run_labels), rows)
    queries.change(conn, run_id, labels=dict(labels) or None)


def add_all(conn: Connection, headers: Sequence[Mapping[str, Any]]) -> None:
    """Make the labels of new headers findable."""
    rows = [
        {"run_id": header["id"], "key": key, "value": value}
        for header in headers
        for key, value in (header["labels"] or {}).items()
    ]
    if rows:
        conn.execute(insert(run_labels), rows)


def of_schedule(conn: Connection, schedule_id: UUID | None) -> dict[str, str]:
    """What a schedule gives to its runs; nothing without one."""
    if schedule_id is None:
        return {}
    query = select(schedules.c.labels).where(schedules.c.id == schedule_id)
    return conn.execute(query).scalar() or {}


def having(wanted: Sequence[str]) -> list[ColumnElement[bool]]:
    """Conditions on runs: each of these labels, as `key:value`, or `key` alone for any value.

    Raises
    ------
    LabelUnreadable : a text without a key.
    """
    return [_has(one) for one in wanted]


def _has(text: str) -> ColumnElement[bool]:
    key, colon, value = text.partition(":")
    if not key:
        raise LabelUnreadable(f"{text!r} is no label.", fix="Write key:value, or key alone.")
    mine = select(run_labels.c.run_id).where(run_labels.c.key == key)
    return runs.c.id.in_(mine.where(run_labels.c.value == value) if colon else mine)
