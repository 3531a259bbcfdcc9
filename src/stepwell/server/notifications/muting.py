"""Causes that people know of: they are not told, and not among what fails, until an instant.

A cause of failures is the fingerprint of its runs, so the list of causes and the messages
are muted by one row.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import InvalidInput
from stepwell.server.audit import service as audit
from stepwell.server.notifications import queries
from stepwell.server.notifications.records import Mute

_TOLD = ("until", "reason", "muted_by")


def mute(
    conn: Connection, cause: str, until: datetime, reason: str, *, by: str, action: str
) -> Mute:
    """Mute a cause until then, or mute it otherwise; `action` is the audit log's word for it.

    Raises
    ------
    InvalidInput : an instant that is over.
    """
    until, now = clock.as_utc(until), clock.now()
    if until <= now:
        raise InvalidInput(
            f"{until.isoformat()} is over.", fix="Give an instant in the future as `until`."
        )
    before = queries.muted(conn, cause)
    values = {"until": until, "reason": reason, "muted_by": by, "muted_at": now}
    queries.mute(conn, cause, **values)
    audit.record(conn, by, action, cause, reason, **audit.sides(before, values, *_TOLD))
    return Mute(cause=cause, until=until, reason=reason, muted_by=by, muted_at=now)


def unmute(conn: Connection, cause: str, reason: str | None, *, by: str, action: str) -> bool:
    """Speak of a cause again; False if it was not muted."""
    before = queries.muted(conn, cause)
    if before is None:
        return False
    queries.unmute(conn, cause)
    audit.record(conn, by, action, cause, reason, **audit.sides(before, None, *_TOLD))
    return True


def muted_now(conn: Connection) -> dict[str, Mute]:
    """What is muted at the moment, by cause."""
    rows = conn.execute(queries.mutes(clock.now())).mappings()
    return {row["cause"]: Mute(**row) for row in rows}
