"""Controls, and the claim of rows with a limit or rate key (R20).

A limited claim looks first; only if slots and rates allow something it locks the keys
concerned, looks again, for others may have been there, and takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

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
from stepwell.stores.columns import COLUMNS
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.postgres.claiming import scope
from stepwell.stores.postgres.queries import Row
from stepwell.stores.postgres.rows import step_reader, utc
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.protocol import Claimed, ClaimRequest

_INFO: Final = 2
"""Columns before those of a contender: the time, and the keys looked at."""
_read: Final = step_reader(COLUMNS)
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class _View:
    """What one look has found."""

    now: datetime
    contenders: list[Contender]
    keys: list[str]

    def allot(self, request: ClaimRequest) -> Allotted:
        return allot_apart(
            self.contenders, request.limit, request.skew, self.now, alone=request.alone
        )

    def only(self, locked: set[str]) -> _View:
        """The same without the rows whose keys could not be locked."""
        mine = [one for one in self.contenders if locked.issuperset(_locks(one))]
        return _View(self.now, mine, self.keys)


def claim_limited(statements: Statements, request: ClaimRequest) -> Claimed:
    """Claim what slots and rates allow; where they allow nothing it is one statement."""
    seen = _look(statements, request, "limited_keys", depth=1, beyond=request.beyond)
    first, beyond = seen.allot(request), go_on_behind(seen.keys)
    if not first.taken:
        return Claimed((), first.next_due, first.suspect_due, bool(beyond), beyond)
    locks = sorted({lock for one in first.taken for lock in _locks(one)})
    locked = {lock for (lock,) in statements.rows("lock_keys", lock_keys=locks)}
    again = _look(statements, request, "limited_given", request.limit + 1, **_lanes(first.taken))
    given = again.only(locked).allot(request)
    steps = _take(statements, request, given, again.now)
    return Claimed(
        steps,
        earliest(first.next_due, given.next_due),
        first.suspect_due if not request.alone else given.suspect_due,
        first.more or given.more or len(locked) < len(locks) or bool(beyond),
        beyond,
    )


def _look(
    statements: Statements, request: ClaimRequest, head: str, depth: int, **more: Any
) -> _View:
    values = {
        "engine_id": request.engine_id,
        "flow_id": request.flow_id,
        "depth": depth,
        "keys_at_once": KEYS_AT_ONCE if request.flow_id is None else 0,
        **scope(request.names, request.queues),
    }
    rows = statements.rows(head, "limited_rows", **values, **more)
    if not rows:
        raise EngineBuried(request.engine_id)
    keys = [row[1] for row in rows if row[1] is not None]
    return _View(utc(rows[0][0]), [_contender(row) for row in rows if row[_INFO]], keys)


def _contender(row: Row) -> Contender:
    one = Contender(*row[_INFO:])
    return one._replace(next_free_at=one.next_free_at and utc(one.next_free_at))


def _locks(one: Contender) -> list[str]:
    limit = [] if one.limit_key is None else [f"limit {one.limit_key}"]
    return limit if one.rate_key is None else [*limit, f"rate {one.rate_key}"]


def _lanes(chosen: Iterable[Contender]) -> Mapping[str, Any]:
    lanes = {(one.name, one.limit_key or "", one.rate_key or "") for one in chosen}
    return {
        "lane_names": [name for name, _, _ in lanes],
        "lane_keys": [f"{limit}{_SEPARATOR}{rate}" for _, limit, rate in lanes],
    }


def _take(
    statements: Statements, request: ClaimRequest, given: Allotted, now: datetime
) -> tuple[Step, ...]:
    if not given.taken:
        return ()
    ids: list[UUID] = [one.id for one in given.taken]
    values = {
        "engine_id": request.engine_id,
        "request_id": request.request_id,
        "now": now,
        "ids": ids,
        "rates": list(given.moved),
        "free_at": list(given.moved.values()),
    }
    steps = {step.id: step for step in map(_read, statements.rows("take_limited", **values))}
    return tuple(steps[one] for one in ids if one in steps)


def set_control(statements: Statements, control: Control) -> None:
    """Insert the control, or replace the one of its kind and key."""
    statements.rows(
        "set_control",
        kind=control.kind.value,
        control_key=control.key,
        slots=control.slots,
        period=control.period,
        reason=control.reason,
        changed_by=control.changed_by,
        spacing=control.spacing,
    )
    statements.work_is_due(True)


def controls(statements: Statements) -> list[Control]:
    """All controls, by kind and key."""
    return [_control(*row) for row in statements.rows("controls")]


def _control(
    kind: str, key: str, slots: Any, period: Any, free_at: Any, reason: Any, by: Any, at: datetime
) -> Control:
    return Control(
        kind=ControlKind(kind),
        key=key,
        slots=slots,
        period=period,
        next_free_at=free_at and utc(free_at),
        reason=reason,
        changed_by=by,
        changed_at=utc(at),
    )
