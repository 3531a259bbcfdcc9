"""Controls, and the claim of rows with a limit or rate key (R20).

A limited claim looks first; only if slots and rates allow something it locks the keys
concerned, looks again, for others may have been there, and takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from zlib import crc32

from stepwell.errors import EngineBuried
from stepwell.step import Step
from stepwell.stores.allotment import (
    KEYS_AT_ONCE,
    Allotted,
    Contender,
    allot_apart,
    earliest,
    go_on_behind,
)
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.mysql.claiming import mark, values_of
from stepwell.stores.mysql.rows import instant, known_utc, utc
from stepwell.stores.mysql.statements import Row, Statements
from stepwell.stores.protocol import Claimed, ClaimRequest

_LOCKS: Final = 64
_SEPARATOR: Final = "\x1f"


def claim_limited(sql: Statements, request: ClaimRequest) -> Claimed:
    """Claim what slots and rates allow; where they allow nothing this only reads."""
    values = values_of(request) | {"depth": request.limit + 1}
    pairs = _pairs(sql, request, values)
    first, _ = _allot(sql, request, _first_look(sql, pairs, values), values)
    beyond = go_on_behind(pair for _, pair in pairs)
    if not first.taken:
        return Claimed((), first.next_due, first.suspect_due, first.more or bool(beyond), beyond)
    if not sql.rows("lock_engine", engine=values["engine"]):
        raise EngineBuried(request.engine_id)
    wanted = {lock for one in first.taken for lock in _locks(one)}
    locked = {row[0] for row in sql.rows("lock_keys", locks=tuple(sorted(wanted)))}
    free = [one for one in _second_look(sql, first, values) if locked.issuperset(_locks(one))]
    given, now = _allot(sql, request, free, values)
    steps = _take(sql, given, values, now)
    return Claimed(
        tuple(steps),
        earliest(first.next_due, given.next_due),
        first.suspect_due if not request.alone else given.suspect_due,
        first.more or given.more or len(locked) < len(wanted) or bool(beyond),
        beyond,
    )


def _pairs(sql: Statements, request: ClaimRequest, values: dict[str, Any]) -> list[Row]:
    """Pairs of name and keys to look at; none where a flow is asked for."""
    if request.flow_id is not None:
        return []
    return list(sql.rows("limited_pairs", beyond=request.beyond, most=KEYS_AT_ONCE, **values))


def _first_look(sql: Statements, pairs: list[Row], values: dict[str, Any]) -> list[Contender]:
    if values["flow"] is not None:
        return [_contender(row) for row in sql.rows("limited_flow", **values)]
    lanes = json.dumps(pairs, ensure_ascii=False)
    return [_contender(row) for row in sql.rows("limited_first", lanes=lanes, **values)]


def _second_look(sql: Statements, first: Allotted, values: dict[str, Any]) -> list[Contender]:
    """The same rows and those behind them, as they are now."""
    if values["flow"] is not None:
        return _first_look(sql, [], values)
    rows = [*sql.rows("limited_suspects", **values)]
    for name, limit, rate in {(one.name, one.limit_key, one.rate_key) for one in first.taken}:
        pair = f"{limit or ''}{_SEPARATOR}{rate or ''}"
        rows += sql.rows("limited_lane", **values | {"name": name, "pair": pair})
    return [_contender(row) for row in rows]


def _allot(
    sql: Statements, request: ClaimRequest, rows: Iterable[Contender], values: dict[str, Any]
) -> tuple[Allotted, datetime]:
    """What may be taken as of now, and when that is."""
    ((now, alive),) = sql.rows("now", engine=values["engine"])
    if not alive:
        raise EngineBuried(request.engine_id)
    at = known_utc(now)
    return allot_apart(rows, request.limit, request.skew, at, alone=request.alone), at


def _contender(row: Row) -> Contender:
    one = Contender(*row)
    return one._replace(suspect=bool(one.suspect), next_free_at=utc(one.next_free_at))


def _locks(one: Contender) -> list[str]:
    keys = (("limit", one.limit_key), ("rate", one.rate_key))
    return [
        f"limit_{crc32(f'{kind} {key}'.encode()) % _LOCKS}" for kind, key in keys if key is not None
    ]


def _take(sql: Statements, given: Allotted, values: dict[str, Any], now: datetime) -> list[Step]:
    if not given.taken:
        return []
    ids = tuple(one.id for one in given.taken)
    free = {row[0] for row in sql.rows("lock_free", ids=ids)}
    for key, at in given.moved.items():
        sql.change("move_rate", at=instant(at), key=key)
    # As of the decision, so that claims are as far apart as their rate says.
    return mark(sql, [one for one in ids if one in free], values, now)


def set_control(sql: Statements, control: Control) -> None:
    """Insert the control, or replace the one of its kind and key."""
    sql.change(
        "set_control",
        kind=str(control.kind),
        key=control.key,
        slots=control.slots,
        period=control.period,
        reason=control.reason,
        changed_by=control.changed_by,
        microseconds=round(control.spacing * 1_000_000),
    )
    sql.news = True


def drop_control(sql: Statements, kind: ControlKind, key: str) -> bool:
    """Delete the control; False if there is none."""
    sql.news = True
    return bool(sql.change("drop_control", kind=str(kind), key=key))


def controls(sql: Statements) -> list[Control]:
    """All controls, by kind and key."""
    return [_control(*row) for row in sql.rows("controls")]


def _control(
    kind: str, key: str, slots: Any, period: Any, free_at: Any, reason: Any, by: Any, at: datetime
) -> Control:
    return Control(
        kind=ControlKind(kind),
        key=key,
        slots=slots,
        period=period,
        next_free_at=utc(free_at),
        reason=reason,
        changed_by=by,
        changed_at=known_utc(at),
    )
