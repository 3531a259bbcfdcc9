"""Write and read the audit log. There is no verb that changes or removes an entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
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
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the caller's transaction, so that act and entry stand or fall together.

    Parameters
    ----------
    actor : a user's name, or the part of the server that acted.
    action : noun.verb, for example `schedule.pause`.
    target : what it was done to, for example `weather/nightly-load`.
    details : JSON; never a secret.
    before, after : JSON of what was changed, as it was and as it is; never a secret.
    """
    values: dict[str, Any] = {
        "actor": actor,
        "action": action,
        "target": target[:300],
        "reason": reason,
    }
    told = {"details": details, "before": before, "after": after}
    values |= {name: None if one is None else dict(one) for name, one in told.items()}
    address = _ADDRESS.get()
    conn.execute(insert(audit).values(id=new_id(), at=clock.now(), address=address, **values))


@contextmanager
def called_from(address: str | None) -> Iterator[None]:
    """What is recorded in this block came from that address; None is the server itself."""
    token = _ADDRESS.set(address)
    try:
        yield
    finally:
        _ADDRESS.reset(token)


_ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)


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
