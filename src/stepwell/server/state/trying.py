"""The state of a trial: it reads what is there, and keeps what it writes to itself.

A trial's values stand under a group name of their own. What it has not written
it reads from the real group; before its first write of a key the current version
is copied, so that versions go on as they would have (decision 0042).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.server.state import queries
from stepwell.server.state.records import Write

PREFIX: Final = "trial:"
KEPT: Final = timedelta(days=7)
"""For so long what a trial wrote can be looked at."""


def place(run_id: UUID) -> str:
    """The group name under which a trial's values stand."""
    return f"{PREFIX}{run_id}"


def reads_from(conn: Connection, group: str, run_id: UUID, scope: str, key: str) -> str:
    """Where a trial finds a value: what it wrote itself, be it a deletion; else in the group."""
    own = place(run_id)
    return group if queries.latest(conn, own, scope, key) is None else own


def opened(conn: Connection, group: str, run_id: UUID, wanted: Write) -> Write:
    """The same write, to be made in the trial's place; the version before it is there now."""
    own = place(run_id)
    if queries.latest(conn, own, wanted.scope, wanted.key) is None:
        row = queries.latest(conn, group, wanted.scope, wanted.key)
        if row is not None:
            queries.add(conn, **{**row, "group_name": own})
    ttl = min(wanted.ttl or KEPT.total_seconds(), KEPT.total_seconds())
    return wanted.model_copy(update={"ttl": ttl})
