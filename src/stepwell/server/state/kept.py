"""Earlier versions of state; the newest of each key stays."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists

from stepwell.server.database.tables import state_entries as t
from stepwell.server.retention.records import of_rows

_LATER: Final = t.alias()


def _old(before: datetime) -> ColumnElement[bool]:
    same = [t.c[name] == _LATER.c[name] for name in ("group_name", "scope", "key")]
    later = exists().where(*same, _LATER.c.version > t.c.version)
    return (t.c.written_at < before) & later


KINDS: Final = (
    of_rows(
        "state-history",
        "Earlier versions of state. The newest version of each key stays.",
        lambda settings: settings.keep_state_days,
        t,
        _old,
    ),
)
