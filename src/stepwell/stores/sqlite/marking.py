"""Reading chosen rows, and marking them as claimed: the same for every kind of claim."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from stepwell.frozen import maker
from stepwell.step import Step
from stepwell.stores.columns import COLUMNS
from stepwell.stores.protocol import ClaimRequest
from stepwell.stores.sqlite.rows import READERS, id_of, id_text, instant
from stepwell.stores.sqlite.statements import Statements

Row: TypeAlias = tuple[Any, ...]
"""As claim_lane.sql gives it: first its rowid."""


def rows_at(sql: Statements, rowids: Sequence[int]) -> list[Row]:
    """The rows of these rowids, in this order."""
    rows = {row[0]: row for row in sql.run("claim_rows", {"rowids": json.dumps(rowids)})}
    return [rows[rowid] for rowid in rowids]


def mark(
    sql: Statements, request: ClaimRequest, rows: Sequence[Row], now: datetime
) -> tuple[Step, ...]:
    """Claim these rows; the steps as they are now."""
    if not rows:
        return ()
    values = {
        "engine": id_text(request.engine_id),
        "request": id_text(request.request_id),
        "now": instant(now),
        "rowids": json.dumps([row[0] for row in rows]),
    }
    sql.run("claim", values)
    return tuple([_read(request, now, *row) for row in rows])


_RARE: Final = tuple(
    (COLUMNS.index(name), READERS.get(name))
    for name in (
        "unique_key",
        "description",
        "copy_of",
        "activation_args",
        "activation_no",
        "activation_seen",
        "execution_count",
        "failure_count",
        "lost_count",
        "execution_started_at",
        "executed_by",
        "result",
        "result_format",
        "fingerprint",
        "join_id",
        "join_policy",
        "limit_key",
        "limit_slots",
        "rate_key",
    )
)
"""Where the last value of a row has its parts, and how each of them is read."""
_BEFORE: Final = (None, 0, 0, 0, 0, 0, None)
_BETWEEN: Final = (None, None, "json", None, None)
"""From `activation_args` to `ended_as`, before and behind the duration, where nothing is rare."""
_AFTER: Final = (False, False, None, None, None, 0, None, None, None)
"""From `started` on."""
_PRIORITIES: Final = READERS["priority"]
_RETENTIONS: Final = READERS["retention"]
_instant: Final = datetime.fromisoformat
_step: Final = maker(Step)


def _read(
    request: ClaimRequest,
    now: datetime,
    _rowid: int,
    id: str,
    name: str,
    flow_id: str,
    created_at: str,
    schedule_time: str,
    queue: str,
    priority: int,
    correlation_id: str | None,
    search_key: str | None,
    created_by: str | None,
    retention: int,
    state: str | None,
    state_format: str,
    claim_no: int,
    duration: float | None,
    rare: str | None,
) -> Step:
    step_id, created = id_of(id), _instant(created_at)
    values = (
        step_id,
        name,
        step_id if flow_id == id else id_of(flow_id),
        created,
        created if schedule_time == created_at else _instant(schedule_time),
        queue,
        _PRIORITIES(priority),
        None,
        correlation_id,
        search_key,
        None,
        None if created_by is None else id_of(created_by),
        None,
        _RETENTIONS(retention),
        state,
        state_format,
        *_BEFORE,
        duration,
        *_BETWEEN,
        request.engine_id,
        claim_no + 1,
        request.request_id,
        now,
        *_AFTER,
    )
    return _step(*values) if rare is None else _step(*_with(json.loads(rare), values))


def _with(rare: Iterable[Any], values: Row) -> list[Any]:
    every = list(values)
    for (place, read), value in zip(_RARE, rare, strict=True):
        if value is not None:
            every[place] = value if read is None else read(value)
    return every
