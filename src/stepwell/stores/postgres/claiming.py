"""The claim: one statement, repeated only where rows of foreign names are in the way.

Of many of them a claim parks some and passes over the others, so that what is handled runs now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import product
from typing import Any, Final
from uuid import UUID

from stepwell.errors import EngineBuried
from stepwell.frozen import changer, setter
from stepwell.step import Priority, Step
from stepwell.stores.columns import COLUMNS
from stepwell.stores.fairness import WEIGHTS
from stepwell.stores.postgres.arrays import (
    TEXT,
    WORD,
    Packed,
    array,
    claim_columns,
    instant,
    uuid_text,
)
from stepwell.stores.postgres.queries import Call, sql
from stepwell.stores.postgres.rows import step_reader, utc
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.protocol import Claimed, ClaimRequest, Position

_A_FLOOD: Final = 100
"""A round of so many rows, all of foreign names, makes a claim look for its own behind them."""
_MOST_AT_ONCE: Final = 1000
"""The most rows that one round locks to get past foreign names, where own ones stand between."""
_MOST_OF_A_FLOOD: Final = 5000
"""The same where none of them is in sight; then the claim is over: others may be due by now."""
FEW: Final = 8
"""So many rows an engine is brought when it is woken; where there are more it asks itself."""
_LAST_ID: Final = (1 << 128) - 1
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_ANSWER: Final = ("alive", "parked_now", "next_due", "suspect_due", "limited_due", "front")
"""The columns before those of the step."""
_INFO: Final = len(_ANSWER)
_read: Final = step_reader((*_ANSWER, *COLUMNS))
_LANE: Final = ("nothing_due", "later", "now")
_STEP_ID: Final = len(_LANE)
_FROM_THE_FIRST: Final = ("-infinity", uuid_text(UUID(int=0)))
_changed: Final = changer(Step)
_tell: Final = setter(Step, "claimed_by", "claimed_at", "parked")
_read_one: Final = step_reader((*_LANE, *COLUMNS))
_read_few: Final = step_reader(("now", *COLUMNS))


def claim(statements: Statements, request: ClaimRequest) -> Claimed:
    """Mark or lock due rows as the engine's own, and park due rows of names it does not handle."""
    if request.flow_id is None and request.limit and not request.alone:
        claimed = _asked_early(statements, request) or _from_one_lane(statements, request)
        if claimed is not None:
            return claimed if request.locking else _marked(statements, request, claimed)
    claimed = _weighed(statements, request)
    _told(claimed.steps, request)
    return claimed


@lru_cache(maxsize=64)
def first_few(engine_id: UUID, queues: tuple[str, ...]) -> Call:
    """What is asked for an engine before it is awake; the answer is part of its next claim."""
    lanes = lane_values(queues, None)
    return sql("claim_few"), {"engine_id": engine_id, "limit": FEW + 1, **lanes}


def _asked_early(statements: Statements, request: ClaimRequest) -> Claimed | None:
    """The rows that were locked for an engine before it was awake, if that was all there was to
    take. It looks again when they have run, so that nothing else is kept waiting by them."""
    rows = statements.asked_early(first_few(request.engine_id, request.queues))
    if not rows or not request.locking or len(rows) > min(FEW, request.limit):
        return None
    steps = _told(tuple([_read_few(row) for row in rows]), request, rows[0][0])
    lanes = {(step.queue, step.priority) for step in steps}
    if len(lanes) > 1 or any(step.name not in request.names for step in steps):
        return None
    statements.due = False
    return Claimed(steps, utc(datetime.fromisoformat(rows[0][0])))


def _from_one_lane(statements: Statements, request: ClaimRequest) -> Claimed | None:
    """The rows of one lane, locked, or nothing where nothing is due; None where lanes have to be
    weighed against each other. To plan for that takes ten times as long as for this."""
    rows = statements.rows(
        "claim_parking",
        "claim_lane",
        engine_id=request.engine_id,
        limit=request.limit,
        **scope(request.names, request.queues),
        **lane_values(request.queues, request.since),
    )
    if not rows:
        return None  # no such engine
    nothing_due, later, now, step_id = rows[0][: _STEP_ID + 1]
    if nothing_due:
        return _claimed(request, (), later and utc(later), ())
    steps = () if step_id is None else _told(tuple([_read_one(row) for row in rows]), request, now)
    names, full = {step.name for step in steps}, len(steps) == request.limit
    if full and not request.parks and names.isdisjoint(request.names):
        return _from_behind(statements, request)
    if not steps or not names.issubset(request.names):
        return None
    # As many as were asked for: there may be more, and whoever asks for more will see.
    next_due = steps[-1].schedule_time if full else later and utc(later)
    return _claimed(request, steps, next_due, (_place(steps[0]),))


def _told(
    steps: tuple[Step, ...], request: ClaimRequest, now: str | None = None
) -> tuple[Step, ...]:
    """The rows say nothing of a claim by lock: who runs the step is told of it all the same. Only
    the mark of the request is that of written claims alone."""
    if request.locking:
        at = now and datetime.fromisoformat(now)
        for step in steps:
            _tell(step, request.engine_id, at or step.claimed_at, False)
    return steps


def _from_behind(statements: Statements, request: ClaimRequest) -> Claimed | None:
    """The rows that stand behind foreign ones, which are left as they are."""
    if not (own := _own(statements, request, ())):
        return None
    claimed = _from_one_lane(statements, replace(_only(request, own), parks=True))
    return claimed and replace(claimed, front=own)


def _place(step: Step) -> Position:
    return Position(step.queue, step.priority, step.schedule_time, step.id)


def _claimed(
    request: ClaimRequest,
    steps: tuple[Step, ...],
    next_due: datetime | None,
    front: tuple[Position, ...],
) -> Claimed:
    """With what a look at all due rows tells, if it was one."""
    whole = request.since is None
    return Claimed(steps, next_due, front=front if whole else None, whole=whole)


@lru_cache(maxsize=64)
def scope(names: tuple[str, ...], queues: tuple[str, ...]) -> Mapping[str, str | Packed]:
    """What is claimed, as statements take it: the same again and again."""
    return {"names": array(names, TEXT), "queues": array(list(dict.fromkeys(queues)), TEXT)}


@lru_cache(maxsize=64)
def lane_values(
    queues: tuple[str, ...], since: tuple[Position, ...] | None
) -> Mapping[str, str | Packed]:
    """The queues and bands, and from where on due rows are read in each, as statements take it.

    The claims of one moment ask for the same again and again.
    """
    begins = {
        (one.queue, one.priority): (instant(one.schedule_time), uuid_text(one.id))
        for one in since or ()
    }
    lanes = list(product(dict.fromkeys(queues), Priority))
    places = [begins.get(lane, _FROM_THE_FIRST) for lane in lanes]
    return {
        "lane_queues": array([queue for queue, _ in lanes], TEXT),
        "lane_bands": array([band for _, band in lanes]),
        "since": array([time for time, _ in places], WORD),
        "since_ids": array([step_id for _, step_id in places], WORD),
    }


def _marked(statements: Statements, request: ClaimRequest, locked: Claimed) -> Claimed:
    if not locked.steps:
        return locked
    ((claimed_at,), *_) = statements.rows(
        "hold_claims",
        engine_id=request.engine_id,
        request_id=request.request_id,
        **claim_columns(step.claim for step in locked.steps),
    )
    marks = {
        "claimed_by": request.engine_id,
        "claim_request": request.request_id,
        "claimed_at": utc(claimed_at),
    }
    return replace(locked, steps=tuple([_changed(step, **marks) for step in locked.steps]))


def _weighed(statements: Statements, request: ClaimRequest) -> Claimed:
    taken: tuple[Step, ...] = ()
    behind: tuple[Position, ...] = ()
    rest, reach = request, request.limit
    while True:
        claimed, parked = _round(statements, rest, reach)
        before, taken = taken, _with_those(taken, claimed.steps)[: request.limit]
        left = request.limit - len(taken)
        if not parked or not left or request.alone:
            break
        if not request.locking:
            rest = replace(rest, limit=left)
        is_flood = len(taken) == len(before) and parked + len(claimed.steps) >= reach >= _A_FLOOD
        if not is_flood or request.flow_id is not None:
            reach = min(reach * 4, _MOST_OF_A_FLOOD if is_flood else _MOST_AT_ONCE)
        elif reach >= _MOST_OF_A_FLOOD > request.limit:
            return _broken_off(claimed, taken, behind)
        elif own := _own(statements, rest, taken):
            rest, reach, behind = _only(rest, own), request.limit, behind or own
        elif taken:
            return _broken_off(claimed, taken, behind)
        else:
            reach = _MOST_OF_A_FLOOD
    return _broken_off(claimed, taken, behind) if behind else replace(claimed, steps=taken)


def _broken_off(claimed: Claimed, taken: tuple[Step, ...], behind: tuple[Position, ...]) -> Claimed:
    """The claim leaves foreign rows to be parked: where its own begin, if there are some."""
    unparked = [_place(step) for step in taken if not step.parked]
    begins = sorted({*behind, *unparked}, reverse=True)
    front = {(one.queue, one.priority): one for one in begins}
    return replace(claimed, steps=taken, front=tuple(front.values()) or None, whole=False)


def _with_those(taken: tuple[Step, ...], steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """What one more round has given: rows that are only locked come again, for nobody passes
    over locks of his own, as long as they stand where the round begins or behind it."""
    again = {step.id for step in steps}
    return (*[step for step in taken if step.id not in again], *steps)


def _own(
    statements: Statements, request: ClaimRequest, taken: tuple[Step, ...]
) -> tuple[Position, ...]:
    """Where due rows that are handled begin behind those taken, in each queue and band that has
    some.

    To pass over a foreign row takes a hundredth of parking it.
    """
    begins = {(one.queue, one.priority): one for one in request.since or ()}
    for step in taken:
        if not step.parked:  # those are found by their name, wherever they stand
            place = _next(_place(step))
            lane = (place.queue, place.priority)
            begins[lane] = max(begins.get(lane, place), place)
    since = tuple(begins.values()) or None
    rows = statements.rows(
        "claim_own", **scope(request.names, request.queues), **lane_values(request.queues, since)
    )
    return tuple([Position(queue, band, utc(due), step_id) for queue, band, due, step_id in rows])


def _next(place: Position) -> Position:
    return place._replace(id=UUID(int=min(place.id.int + 1, _LAST_ID)))


def _only(request: ClaimRequest, begins: tuple[Position, ...]) -> ClaimRequest:
    """From these places on, and in all other queues and bands from one that no due row stands
    behind."""
    lanes = set(product(request.queues, Priority)) - {(one.queue, one.priority) for one in begins}
    nowhere = [Position(*lane, _NEVER, UUID(int=0)) for lane in lanes]
    return replace(request, since=(*begins, *nowhere))


def _round(statements: Statements, request: ClaimRequest, reach: int) -> tuple[Claimed, int]:
    of_queues = ("claim_parking", "claim_from_queues")
    head = of_queues if request.flow_id is None else ("claim_from_flow",)
    values = _values(request, 0 if request.alone else max(reach, request.limit))
    take = "claim_lock" if request.locking else "claim_mark"
    parts = *head, "claim_limited_outlook", "claim_rank", take, "claim_answer"
    rows = statements.rows(*parts, **values)
    alive, parked, next_due, suspect_due, limited_due, front = rows[0][:_INFO]
    if not alive:
        raise EngineBuried(request.engine_id)
    steps: tuple[Step, ...] = tuple(_read(row) for row in rows if row[_INFO] is not None)
    whole = request.since is None or front is None  # of a flow all is looked at
    begins = _positions(front) if whole and front is not None else None
    due = next_due and utc(next_due)
    claimed = Claimed(steps, due, suspect_due, limited_due, front=begins, whole=whole)
    return claimed, parked


def _positions(front: str) -> tuple[Position, ...]:
    return tuple(
        Position(queue, priority, utc(datetime.fromisoformat(due)), UUID(step_id))
        for queue, priority, due, step_id in json.loads(front)
    )


def _values(request: ClaimRequest, reach: int) -> dict[str, Any]:
    return {
        "engine_id": request.engine_id,
        "request_id": request.request_id,
        "flow_id": request.flow_id,
        "limit": 1 if request.alone else request.limit,
        "reach": reach,
        "alone": request.alone,
        "skew": list(request.skew),
        **scope(request.names, request.queues),
        **lane_values(request.queues, request.since),
        "weights": [float(weight) for weight in WEIGHTS.values()],
    }
