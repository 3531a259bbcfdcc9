"""The claim: look without a lock, take what is due by the order of R18, and look again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from stepwell.errors import EngineBuried
from stepwell.step import Step
from stepwell.stores.fairness import fair_fill
from stepwell.stores.mysql.rows import plain, step_of, utc
from stepwell.stores.mysql.statements import Statements
from stepwell.stores.protocol import Claimed, ClaimRequest

_MOST_AT_ONCE: Final = 1000
"""The most rows of a band that one look locks to get past foreign names."""


_PARKED: Final = 64
"""At least so many rows of a parked name are ranked."""
_ORDINARY: Final = ("open", "parked", "flow")
"""The kinds of places that all claims take from."""


class Due(NamedTuple):
    """What the claim needs to know of a row to rank it; ids sort as text."""

    id: str
    name: str
    priority: int
    schedule_time: datetime


class Place(NamedTuple):
    """Where something can be claimed, and its earliest instant there."""

    kind: str
    queue: str | None
    name: str | None
    band: int | None
    earliest: datetime


class Outlook(NamedTuple):
    """What was seen without a lock, at one instant of the store's clock."""

    now: datetime
    places: list[Place]

    def due(self, *kinds: str) -> list[Place]:
        """The places of these kinds with something due."""
        return [one for one in self.places if one.kind in kinds and one.earliest <= self.now]

    def rest(self) -> Claimed:
        """What to say of it; what is due and claimed apart is no instant to come back at."""
        known = [
            one.earliest for one in self.places if one.kind in _ORDINARY or one.earliest > self.now
        ]
        apart = bool(self.due("suspect")), bool(self.due("limited"))
        return Claimed((), utc(min(known, default=None)), *apart)


def claim(sql: Statements, request: ClaimRequest) -> Claimed:
    """Claim what is due; an idle engine only reads, and so stands in nobody's way."""
    values = values_of(request)
    seen = _look(sql, request, values)
    kinds = ("suspect",) if request.alone else _ORDINARY
    if not seen.due(*kinds):
        return seen.rest()
    if not sql.rows("lock_engine", engine=values["engine"]):
        raise EngineBuried(request.engine_id)
    due = _due(sql, request, seen.due(*kinds), values)
    limit = 1 if request.alone else request.limit
    chosen = fair_fill(due, limit, request.skew)
    steps = mark(sql, [one.id for one in chosen], values)
    return replace(_look(sql, request, values).rest(), steps=tuple(steps))


def values_of(request: ClaimRequest) -> dict[str, Any]:
    """What the statements of a claim are given."""
    return {
        "engine": str(request.engine_id),
        "request": str(request.request_id),
        "names": request.names or (None,),
        "names_json": json.dumps(request.names, ensure_ascii=False),
        "queues": request.queues or (None,),
        "queues_json": json.dumps(request.queues, ensure_ascii=False),
        "flow": plain(request.flow_id),
    }


def _look(sql: Statements, request: ClaimRequest, values: dict[str, Any]) -> Outlook:
    query = "claim_outlook" if request.flow_id is None else "claim_outlook_flow"
    rows = sql.rows(query, **values)
    places = [Place(*row) for row in rows if row[-1] is not None]
    alive = [one for one in places if one.kind == "engine"]
    if not alive:
        raise EngineBuried(request.engine_id)
    return Outlook(alive[0].earliest, [one for one in places if one.kind != "engine"])


def _due(
    sql: Statements, request: ClaimRequest, places: list[Place], values: dict[str, Any]
) -> list[Due]:
    """The first due rows whose names are handled, locked; what stands before them is parked."""
    reach = request.limit
    while True:
        window = values | {"window": reach}
        due = [one for place in places for one in _window(sql, place, window)]
        mine = [one for one in due if one.name in request.names]
        if len(mine) == len(due):
            return mine
        sql.change("park", ids=tuple(one.id for one in due if one.name not in request.names))
        if reach >= _MOST_AT_ONCE:
            return mine
        reach = min(reach * 4, _MOST_AT_ONCE)


def _window(sql: Statements, place: Place, values: dict[str, Any]) -> Iterator[Due]:
    where = place._asdict() | {"queues": values["queues"], "names": values["names"]}
    # Parked rows of all bands are in one stretch of their index, so more of them are looked at.
    window = max(values["window"], _PARKED if place.kind == "parked" else 0)
    more = {"flow": values["flow"], "window": window}
    return (Due(*row) for row in sql.rows(f"claim_window_{place.kind}", **where | more))


def mark(
    sql: Statements, chosen: list[str], values: dict[str, Any], at: datetime | None = None
) -> list[Step]:
    """Mark rows that are locked as the engine's own, now or as of an instant of the store's
    clock; the rows in the order given."""
    if not chosen:
        return []
    ids = tuple(chosen)
    claimant = {"engine": values["engine"], "request": values["request"]}
    sql.change("claim", ids=ids, at=plain(at), **claimant)
    marked = {step.id: step for step in map(step_of, sql.rows("steps", ids=ids))}
    return [marked[UUID(step_id)] for step_id in ids]
