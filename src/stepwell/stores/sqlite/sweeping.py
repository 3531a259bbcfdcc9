"""Removing what was kept for long enough, a few rows at a time (R23)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from stepwell.retention import Expiry
from stepwell.step import Retention, StepStatus
from stepwell.stores.protocol import Swept
from stepwell.stores.sqlite.rows import instant
from stepwell.stores.sqlite.statements import Statements

WINDOW: Final = 1000
"""Rows that are looked at in one statement."""

_TABLES: Final = {
    StepStatus.DONE: ("sweep_done", "remove_done"),
    StepStatus.FAILED: ("sweep_failed", "remove_failed"),
}


def sweep(sql: Statements, expiries: Sequence[Expiry], limit: int) -> Swept:
    """Remove at most `limit` rows; readers and, but for the removal, writers go on."""
    gone = 0
    for status, (look, remove) in _TABLES.items():
        times = _times(expiries, status)
        rowids = _expired(sql, look, times, limit - gone)
        if rowids:
            with sql.writing():
                values = {"rowids": json.dumps(rowids), "newest": times["newest"]}
                sql.run(remove, values)
            gone += len(rowids)
    return Swept(removed=gone, more=gone == limit)


def _times(expiries: Sequence[Expiry], status: StepStatus) -> dict[str, str]:
    """Before which instant rows of each class may go; no instant is before the empty text."""
    known = {one.retention: instant(one.before) for one in expiries if one.status is status}
    times = {one.name.lower(): known.get(one, "") for one in Retention}
    return times | {"newest": max(times.values())}


def _expired(sql: Statements, look: str, times: dict[str, str], limit: int) -> list[int]:
    found: list[int] = []
    values: dict[str, Any] = times | {"after": 0, "window": WINDOW}
    while times["newest"] and len(found) < limit:
        rows = sql.run(look, values).fetchall()
        found += [rowid for rowid, _, may_go in rows if may_go]
        if len(rows) < WINDOW or not any(old for _, old, _ in rows):
            break
        values["after"] = rows[-1][0]
    return found[:limit]
