"""Write and read the audit log. There is no verb that changes or removes an entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.audit.records import Entry
from stepwell.server.database.tables import audit
from stepwell.server.paging import Page, Paging, paged


def record(
    conn: Connection,
    actor: str,
    action: str,
    target: str,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the caller's transaction, so that act and entry stand or fall together.

    Parameters
    ----------
    actor : a user's name, or the part of the server that acted.
    action : noun.verb, for example `schedule.pause`.
    target : what it was done to, for example `weather/nightly-load`.
    details : JSON; never a secret.
    """
    values = {"actor": actor, "action": action, "target": target[:300], "reason": reason}
    details = None if details is None else dict(details)
    conn.execute(insert(audit).values(id=new_id(), at=clock.now(), details=details, **values))


def listed(
    conn: Connection,
    pages: Paging,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    **equal: str | None,
) -> Page[Entry]:
    """Entries, newest first; `equal` filters by actor, action or target."""
    query = select(audit)
    for name, value in equal.items():
        query = query if value is None else query.where(audit.c[name] == value)
    query = query if since is None else query.where(audit.c.at >= since)
    query = query if until is None else query.where(audit.c.at < until)
    return paged(conn, query, pages, by=[audit.c.at, audit.c.id], make=lambda row: Entry(**row))
