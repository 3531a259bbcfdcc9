"""What every change of a schedule has in common: hold it, close its books, put the new in force.

What was due before a change is settled by the rules from before it. The change
itself is a line in the ledger, so the chain goes on through it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.schedules import Schedule, from_json
from stepwell.schedules.ledger import Rules
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.schedules import queries
from stepwell.server.schedules.errors import ScheduleCatchingUp, ScheduleInactive, ScheduleNotFound
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.ledger.books import Books
from stepwell.server.schedules.ledger.writing import drop_queued, write_change
from stepwell.server.schedules.queries import Row
from stepwell.server.services import QUEUE, Services
from stepwell.step import NewStep, StepQuery, StepStatus, new_step

TICK: Final = "v1/server/tick"


def books_of(services: Services) -> Books:
    """The ledgers, kept by this server's settings."""
    grace = timedelta(seconds=services.settings.schedule_grace)
    late_after = timedelta(seconds=services.settings.schedule_late_after)
    return Books(services.db, rules=Rules(grace=grace), late_after=late_after)


def found(row: Row | None, schedule_id: UUID) -> Row:
    """The row itself; raises `ScheduleNotFound` for None and for one that was removed."""
    if row is None or row["origin"] == "removed":
        raise ScheduleNotFound(schedule_id)
    return row


def active(row: Row) -> Row:
    """The row itself; raises `ScheduleInactive` for one that is out of force."""
    if not row["active"]:
        raise ScheduleInactive(
            f"The schedule {row['name']!r} of {row['workflow']!r} is not in force.",
            why="The current release does not have it.",
            fix="Approve a release that has it.",
        )
    return row


def held(conn: Connection, books: Books, schedule_id: UUID, now: datetime) -> Row:
    """The schedule, held by this transaction, with everything settled that was due.

    Raises
    ------
    ScheduleNotFound.
    ScheduleCatchingUp : more is due than one pass settles.
    """
    row = found(queries.lock(conn, schedule_id), schedule_id)
    if books.settle(conn, row, now).more:
        raise ScheduleCatchingUp(
            f"The schedule {row['name']!r} of {row['workflow']!r} is catching up.",
            why="Many instants were due while no server ran; they are being entered.",
            fix="Try again in a moment.",
        )
    return found(queries.get(conn, schedule_id), schedule_id)


def put_in_force(
    conn: Connection, row: Row, spec: Schedule, now: datetime, why: str, **values: Any
) -> None:
    """From now on the schedule is due by `spec`; its version goes up."""
    spec = spec.keyed(queries.key_of(row))
    version = row["version"] + 1
    next_due = write_change(conn, row["id"], now, why, version, spec)
    fixed = {"spec": spec.as_json(), "version": version, "next_due": next_due, "active": True}
    queries.change(conn, row["id"], **fixed, **values)


def put_in_force_again(conn: Connection, row: Row, now: datetime, why: str) -> None:
    """An inactive schedule is due again, by the spec that it has."""
    put_in_force(conn, row, from_json(row["spec"]), now, why)


def put_out_of_force(conn: Connection, row: Row, now: datetime, why: str, **values: Any) -> None:
    """Nothing is due any more; what waited for its run is let go."""
    drop_queued(conn, row["id"], why)
    write_change(conn, row["id"], now, why, row["version"], None)
    queries.change(conn, row["id"], active=False, next_due=None, **values)


def add(conn: Connection, spec: Schedule, now: datetime, why: str, **values: Any) -> UUID:
    """Insert a schedule that is due by `spec` from now on, and begin its ledger."""
    key = jitter_key(values["group_name"], values["workflow"], values["name"])
    spec = spec.keyed(key)
    fixed = {"spec": spec.as_json(), "version": 1, "active": True, "created_at": now}
    schedule_id = queries.add(conn, jitter_key=key, **fixed, **values)
    next_due = write_change(conn, schedule_id, now, why, 1, spec)
    queries.change(conn, schedule_id, next_due=next_due)
    return schedule_id


def jitter_key(group: str, workflow: str, name: str) -> str:
    """What a new schedule's jitter depends on; it stays when its workflow is renamed."""
    return f"{group}/{workflow}/{name}"


def wake(conn: Connection, db: Database) -> None:
    """Have the tick look again, in this transaction."""
    tx = db.steps(conn)
    ticks = tx.search(StepQuery(name=TICK, status=StepStatus.READY, limit=1))
    if ticks:
        tx.activate(ticks[0].id, None, None)
    else:
        tx.add([seal(tick_step(), JSON, now_of(conn))])


def tick_step() -> NewStep:
    """The singleton step, to be added where there is none."""
    return new_step(TICK, singleton=True, on_conflict="ignore", queue=QUEUE)


def told(
    conn: Connection,
    services: Services,
    schedule_id: UUID,
    action: str,
    reason: str | None,
    by: str,
    before: Row | None = None,
    gone: bool = False,
) -> None:
    """Write the audit log's entry, and have the tick look again.

    Parameters
    ----------
    before : the schedule as it was; None where it is new.
    gone : it is in force no more, so there is nothing to tell of it after.
    """
    row = queries.get(conn, schedule_id)
    assert row is not None
    found = {"schedule": str(schedule_id), "spec": row["spec"], "version": row["version"]}
    names = [name for name in _TOLD if before is None or gone or before[name] != row[name]]
    told = audit.sides(before, None if gone else row, *names or _TOLD[:1])
    audit.record(conn, by, action, target(row), reason, found, **told)
    wake(conn, services.db)


_TOLD: Final = (
    "spec",
    "parameters",
    "origin",
    "active",
    "paused_at",
    "pause_reason",
    "paused_until",
    "skips",
    "late_after",
    "too_long_after",
)


def target(row: Row) -> str:
    """What the audit log calls a schedule."""
    return f"{row['group_name']}/{row['workflow']}/{row['name']}"
