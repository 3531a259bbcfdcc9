"""The claim: look, take what is due by the order of R18, and say when to come again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from stepwell.clock import Clock
from stepwell.errors import EngineBuried
from stepwell.step import Step
from stepwell.stores.fairness import fair_fill
from stepwell.stores.protocol import Claimed, ClaimRequest
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.marking import mark
from stepwell.stores.sqlite.rows import instant, plain
from stepwell.stores.sqlite.statements import Statements

WINDOW: Final = 64
"""At least so many rows of each band are looked at, so that foreign names are parked in bulk."""


class Due(NamedTuple):
    """What the claim needs to know of a row to rank it; ids and instants sort as text."""

    rowid: int
    id: str
    name: str
    priority: int
    schedule_time: str


def claim(sql: Statements, clock: Clock, request: ClaimRequest) -> Claimed:
    """Claim what is due; an idle engine only reads, and so stands in no writer's way."""
    with translated():
        now = clock.now()
        seen = _outlook(sql, request, _values(request, now))
        if not _worth_a_lock(request, seen, now):
            _check_alive(sql, request.engine_id)
            return seen
    with sql.writing():
        _check_alive(sql, request.engine_id)
        now = clock.now()
        values = _values(request, now)
        steps = _take(sql, request, values, now)
        return replace(_outlook(sql, request, values), steps=tuple(steps))


def _values(request: ClaimRequest, now: datetime) -> dict[str, Any]:
    return {
        "names": json.dumps(request.names),
        "queues": json.dumps(request.queues),
        "flow": plain(request.flow_id),
        "window": max(request.limit, WINDOW),
        "now": instant(now),
    }


def _worth_a_lock(request: ClaimRequest, seen: Claimed, now: datetime) -> bool:
    if request.alone:
        return seen.suspect_due
    return seen.next_due is not None and seen.next_due <= now


def _check_alive(sql: Statements, engine_id: UUID) -> None:
    found = sql.execute("SELECT 1 FROM stepwell_engines WHERE id = ?", [str(engine_id)])
    if found.fetchone() is None:
        raise EngineBuried(engine_id)


def _take(
    sql: Statements, request: ClaimRequest, values: dict[str, Any], now: datetime
) -> list[Step]:
    due = [Due(*row) for row in sql.run(_window(request), values)]
    mine = [one for one in due if one.name in request.names]
    if len(mine) < len(due):
        foreign = [one.rowid for one in due if one.name not in request.names]
        sql.run("park", {"rowids": json.dumps(foreign)})
    limit = 1 if request.alone else request.limit
    chosen = _fair(mine, limit, request.skew)
    marked = mark(sql, request, [one.rowid for one in chosen], now) if chosen else {}
    return [marked[one.id] for one in chosen]


def _fair(due: list[Due], limit: int, skew: Sequence[float]) -> list[Due]:
    """What comes first; within one band, as mostly, that is the oldest."""
    if len({one.priority for one in due}) == 1:
        return sorted(due, key=attrgetter("schedule_time", "id"))[:limit]
    return fair_fill(due, limit, skew)


def _window(request: ClaimRequest) -> str:
    if request.alone:
        return "claim_window_suspect"
    return "claim_window" if request.flow_id is None else "claim_window_flow"


def _outlook(sql: Statements, request: ClaimRequest, values: dict[str, Any]) -> Claimed:
    ordinary = "claim_outlook" if request.flow_id is None else "claim_outlook_flow"
    (earliest,) = sql.run(ordinary, values).fetchone()
    rare = sql.run("claim_outlook_suspect", values).fetchone()
    suspect_due, next_suspect, limited_due, next_limited = rare
    known = [one for one in (earliest, next_suspect, next_limited) if one is not None]
    next_due = datetime.fromisoformat(min(known)) if known else None
    return Claimed((), next_due, bool(suspect_due), bool(limited_due))
