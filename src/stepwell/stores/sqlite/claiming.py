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
from stepwell.stores.fairness import fair_fill
from stepwell.stores.protocol import Claimed, ClaimRequest
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.marking import Row, mark, rows_at
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


class Lane(NamedTuple):
    """One band of one queue."""

    queue: str
    band: int


def claim(sql: Statements, clock: Clock, request: ClaimRequest) -> Claimed:
    """Claim what is due; an idle engine only reads, and so stands in no writer's way."""
    with translated():
        now = clock.now()
        seen, lane = _outlook(sql, request, _values(request, now))
        if not _worth_a_lock(request, seen, now):
            _check_alive(sql, request.engine_id)
            return seen
    with sql.writing():
        _check_alive(sql, request.engine_id)
        now = clock.now()
        values = _values(request, now)
        if lane is None or request.limit < WINDOW or request.alone:
            rows = _of_several(sql, request, values)
        else:
            rows = _of(lane, sql, request, values)
        steps = mark(sql, request, rows, now)
        return replace(_outlook(sql, request, values)[0], steps=steps)


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


def _of(lane: Lane, sql: Statements, request: ClaimRequest, values: dict[str, Any]) -> list[Row]:
    """The rows to take, where only one band has any: they are read as they come."""
    found = sql.run("claim_lane", values | lane._asdict() | {"limit": request.limit}).fetchall()
    names = frozenset(request.names)
    mine = [row for row in found if row[2] in names]
    if len(mine) < len(found):
        _park(sql, [row[0] for row in found if row[2] not in names])
    return mine


def _of_several(sql: Statements, request: ClaimRequest, values: dict[str, Any]) -> list[Row]:
    """The rows to take, where they have to be chosen first."""
    due = [Due(*row) for row in sql.run(_window(request), values)]
    names = frozenset(request.names)
    mine = [one for one in due if one.name in names]
    if len(mine) < len(due):
        _park(sql, [one.rowid for one in due if one.name not in names])
    chosen = _fair(mine, 1 if request.alone else request.limit, request.skew)
    return rows_at(sql, [one.rowid for one in chosen])


def _park(sql: Statements, foreign: list[int]) -> None:
    sql.run("park", {"rowids": json.dumps(foreign)})


def _fair(due: list[Due], limit: int, skew: Sequence[float]) -> list[Due]:
    """What comes first; within one band, as mostly, that is the oldest."""
    if len({one.priority for one in due}) == 1:
        return sorted(due, key=attrgetter("schedule_time", "id"))[:limit]
    return fair_fill(due, limit, skew)


def _window(request: ClaimRequest) -> str:
    if request.alone:
        return "claim_window_suspect"
    return "claim_window" if request.flow_id is None else "claim_window_flow"


def _outlook(
    sql: Statements, request: ClaimRequest, values: dict[str, Any]
) -> tuple[Claimed, Lane | None]:
    """When something will be due; and where something is due now, if that is one band alone."""
    ordinary = "claim_outlook" if request.flow_id is None else "claim_outlook_flow"
    earliest, *due = sql.run(ordinary, values).fetchone()
    rare = sql.run("claim_outlook_suspect", values).fetchone()
    suspect_due, next_suspect, limited_due, next_limited = rare
    known = [one for one in (earliest, next_suspect, next_limited) if one is not None]
    next_due = datetime.fromisoformat(min(known)) if known else None
    lane = Lane(*due[1:]) if due and due[0] == 1 and due[1] is not None else None
    return Claimed((), next_due, bool(suspect_due), bool(limited_due)), lane
