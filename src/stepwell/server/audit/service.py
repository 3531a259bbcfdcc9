"""Write and read the audit log. There is no verb that changes or removes an entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypedDict

from pydantic_core import to_jsonable_python
from sqlalchemy import Connection, Select, insert, select

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.audit.records import Entry, Filter
from stepwell.server.database.session import Database
from stepwell.server.database.tables import audit
from stepwell.server.paging import Page, Paging, paged


class Sides(TypedDict):
    """What was changed, as it was and as it is."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


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
    before, after : what was changed, as it was and as it is; never a secret. Which of them
        an action has is in `actions.ACTIONS`.
    """
    values: dict[str, Any] = {
        "actor": actor,
        "action": action,
        "target": target[:300],
        "reason": reason,
    }
    told = {"details": details, "before": before, "after": after}
    values |= {name: None if one is None else _plain(dict(one)) for name, one in told.items()}
    address = _ADDRESS.get()
    conn.execute(insert(audit).values(id=new_id(), at=clock.now(), address=address, **values))


def sides(before: Mapping[Any, Any] | None, after: Mapping[Any, Any] | None, *names: str) -> Sides:
    """`before` and `after` of an entry: these fields of what there was, and of what there is."""

    def told(one: Mapping[Any, Any] | None) -> dict[str, Any] | None:
        return None if one is None else {key: one[key] for key in names}

    return {"before": told(before), "after": told(after)}


def _plain(value: Any) -> Any:
    return to_jsonable_python(value, fallback=str)


@contextmanager
def called_from(address: str | None) -> Iterator[None]:
    """What is recorded in this block came from that address; None is the server itself."""
    token = _ADDRESS.set(address)
    try:
        yield
    finally:
        _ADDRESS.reset(token)


_ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)


def listed(conn: Connection, pages: Paging, wanted: Filter) -> Page[Entry]:
    """Entries that fit, newest first."""
    return paged(conn, _query(wanted), pages, by=_ORDER, make=lambda row: Entry(**row))


def every(db: Database, wanted: Filter) -> Iterator[Entry]:
    """All entries that fit, newest first, read page by page on connections of their own."""
    cursor: str | None = None
    while True:
        with db.read() as conn:
            page = listed(conn, Paging(cursor, _AT_ONCE), wanted)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


_ORDER: Final = (audit.c.at, audit.c.id)
_AT_ONCE: Final = 500


def _query(wanted: Filter) -> Select[Any]:
    query = select(audit)
    for name in ("actor", "action", "target", "address"):
        value = getattr(wanted, name)
        query = query if value is None else query.where(audit.c[name] == value)
    query = query if wanted.since is None else query.where(audit.c.at >= wanted.since)
    return query if wanted.until is None else query.where(audit.c.at < wanted.until)
