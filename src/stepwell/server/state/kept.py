"""What the room keeps for some time only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists

from stepwell.server.database.tables import state_entries, state_readers
from stepwell.server.retention.records import Kind, of_rows
from stepwell.server.services import Services
from stepwell.server.state import expiring

_LATER: Final = state_entries.alias()


def _old(before: datetime) -> ColumnElement[bool]:
    t = state_entries
    same = [t.c[name] == _LATER.c[name] for name in ("group_name", "scope", "key")]
    later = exists().where(*same, _LATER.c.version > t.c.version)
    return (t.c.written_at < before) & later


def _expire(services: Services, before: datetime, limit: int) -> int:
    with services.db.write() as conn:
        return expiring.end(conn, before, limit)


def _expired(services: Services, before: datetime, limit: int) -> int:
    with services.db.read() as conn:
        return len(expiring.expired(conn, before, limit))


def _forget(services: Services, before: datetime, limit: int) -> int:
    with services.db.write() as conn:
        return expiring.forget(conn, before, limit)


def _gone(services: Services, before: datetime, limit: int) -> int:
    with services.db.read() as conn:
        return len(expiring.gone(conn, before, limit))


def _unread(before: datetime) -> ColumnElement[bool]:
    return state_readers.c.read_at < before


KINDS: Final = (
    Kind(
        "expired-state",
        "State whose time to live is over, and its history. Its version number stays.",
        lambda _: 0,
        _expire,
        _expired,
    ),
    Kind(
        "deleted-state",
        "What is left of state that was deleted or has expired: it can be restored until then.",
        lambda _: 90,
        _forget,
        _gone,
    ),
    of_rows("state-readers", "Who has read state.", lambda _: 90, state_readers, _unread),
    of_rows(
        "state-history",
        "Earlier versions of state. The newest version of each key stays.",
        lambda settings: settings.keep_state_days,
        state_entries,
        _old,
    ),
)
