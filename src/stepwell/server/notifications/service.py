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
"""

from __future__ import annotations

from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.database.session import Database
from stepwell.server.notifications import queries
from stepwell.server.notifications.records import Occasion
from stepwell.server.services import Services
from stepwell.stores.protocol import Transaction

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
    made = new_id()
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
    return made
