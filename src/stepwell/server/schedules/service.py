"""The verbs of people: add, change, pause, run now. Other rooms use `get`,
`sync_with_release`, and what tells who rests.

Each holds the schedule, settles what was due until now, changes it, writes the
audit log and wakes the tick, all in the caller's transaction.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from stepwell.server.schedules import queries
from stepwell.server.schedules.backfills.firing import run_now
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.definitions.editing import add, change, end_override, remove
from stepwell.server.schedules.definitions.holding import end_skips, pause, resume, skip_next
from stepwell.server.schedules.definitions.sync import sync_with_release
from stepwell.server.schedules.ledger.resting import resting, rests_until
from stepwell.server.schedules.queries import Row

__all__ = [
    "add",
    "change",
    "end_override",
    "end_skips",
    "get",
    "pause",
    "remove",
    "resting",
    "rests_until",
    "resume",
    "run_now",
    "skip_next",
    "sync_with_release",
]


def get(conn: Connection, schedule_id: UUID) -> Row:
    """One schedule; raises `ScheduleNotFound`."""
    return changing.found(queries.get(conn, schedule_id), schedule_id)
