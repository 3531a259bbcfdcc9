"""What other rooms call when something happened: `occur`, in their own transaction.

    notifications.occur(
        conn,
        services,
        Occasion(
            kind=Kind.LATE,
            group="weather",
            workflow="nightly",
            schedule_id=schedule_id,
            sentence="weather/nightly is 5 min late.",
        ),
    )

A success of a workflow is told by `passed`, which knows what it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.server.database.session import Database
from stepwell.server.notifications import queries
from stepwell.server.notifications.muting import mute, muted_now, unmute
from stepwell.server.notifications.queries import move
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.services import QUEUE, Services
from stepwell.step import new_step
from stepwell.stores.protocol import Transaction

__all__ = ["NOTIFY", "add_step", "move", "mute", "muted_now", "occur", "passed", "unmute"]

NOTIFY: Final = "v1/server/notify"

Steps: TypeAlias = Services | Database | Transaction
"""Where the steps of the caller's transaction are: any of the three does."""


def occur(conn: Connection, steps: Steps, occasion: Occasion) -> UUID:
    """Something happened; whom to tell is decided by a step, after the caller's commit.

    The occasion is written in the caller's transaction: it is told if that commits, and
    never if it rolls back. Nothing is sent here, and no lock is taken that another caller
    might wait for. Callers need not ask whether the same was told already: occasions of
    one cause become one message.

    Returns
    -------
    The occasion's id.
    """
    made, workflow = new_id(), occasion.workflow
    if workflow is not None and occasion.run_id is not None:
        workflow = queries.name_now(conn, occasion.run_id, workflow)
        occasion = replace(occasion, workflow=workflow)  # rules and causes are of that name
    queries.add_occasion(
        conn,
        id=made,
        at=clock.now(),
        kind=occasion.kind,
        cause=occasion.cause,
        group_name=occasion.group,
        workflow=occasion.workflow,
        run_id=occasion.run_id,
        schedule_id=occasion.schedule_id,
        discovery_id=occasion.discovery_id,
        sentence=occasion.sentence,
        details=dict(occasion.details),
        labels=dict(occasion.labels),
    )
    if queries.any_rules(conn):
        add_step(conn, steps, NOTIFY, {"occasion_id": str(made)})
    return made


def passed(
    conn: Connection,
    steps: Steps,
    *,
    group: str,
    workflow: str,
    run_id: UUID,
    since: datetime,
    labels: Mapping[str, str] | None = None,
) -> list[str]:
    """A run of the workflow has succeeded: what had failed before it has recovered.

    Parameters
    ----------
    since : when the run came to be; a failure after that was not overcome by it.

    Returns
    -------
    The causes that it has ended, each of them now an occasion of the kind *recovery*.
    """
    failures: dict[str, list[Any]] = {}
    rows = queries.lock_open(conn, group, workflow, since)
    for row in rows:
        failures.setdefault(row["cause"], []).append(row)
    queries.passed(conn, [row["id"] for row in rows], clock.now())
    for cause, of in failures.items():
        recovery = Occasion(
            kind=Kind.RECOVERY,
            group=group,
            workflow=workflow,
            run_id=run_id,
            fingerprint=cause,
            sentence=_recovered(group, workflow, of),
            details={"failures": len(of), "failing_since": of[0]["at"].isoformat()},
            labels=labels or {},
        )
        occur(conn, steps, recovery)
    return list(failures)


def add_step(
    conn: Connection,
    steps: Steps,
    name: str,
    state: Any,
    *,
    at: datetime | None = None,
    limit_key: str | None = None,
) -> None:
    """Add one of the server's own steps in the caller's transaction; due now, or then.

    Parameters
    ----------
    limit_key : of those with the same one only one is executed at a time.
    """
    given: dict[str, Any] = {} if at is None else {"schedule_time": at}
    new = new_step(name, state, queue=QUEUE, limit_key=limit_key, **given)
    _transaction(conn, steps).add([seal(new, JSON, clock.now())])


def _transaction(conn: Connection, steps: Steps) -> Transaction:
    if isinstance(steps, Services):
        return steps.db.steps(conn)
    return steps.steps(conn) if isinstance(steps, Database) else steps


def _recovered(group: str, workflow: str, failures: Sequence[Any]) -> str:
    times = "once" if len(failures) == 1 else f"{len(failures)} times"
    since = f"{failures[0]['at']:%Y-%m-%d %H:%M} UTC"
    return f"{group}/{workflow} has succeeded again. It had failed {times} since {since}."
