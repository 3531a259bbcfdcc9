"""The claim of rows with a limit or rate key (R20). The write lock of the file is the lock
on every key."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from stepwell.clock import Clock
from stepwell.step import Step
from stepwell.stores.allotment import KEYS_AT_ONCE, Allotted, Contender, allot_apart, go_on_behind
from stepwell.stores.protocol import Claimed, ClaimRequest
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.marking import mark, rows_at
from stepwell.stores.sqlite.rows import instant, plain
from stepwell.stores.sqlite.statements import Statements


class _View(NamedTuple):
    """What could be taken, and how far the keys were looked through."""

    allotted: Allotted
    beyond: str


def claim_limited(sql: Statements, clock: Clock, request: ClaimRequest) -> Claimed:
    """Claim what slots and rates allow; where they allow nothing this only reads."""
    with translated():
        seen = _look(sql, request, clock.now())
        if not seen.allotted.taken:
            return _answer(seen, ())
    with sql.writing():
        now = clock.now()
        view = _look(sql, request, now)
        moved = view.allotted.moved.items()
        sql.run_many("move_rate", [(instant(at), key) for key, at in moved])
        chosen = [rowid for _, rowid in (one.id for one in view.allotted.taken)]
        return _answer(view, mark(sql, request, rows_at(sql, chosen), now))


def _answer(view: _View, steps: tuple[Step, ...]) -> Claimed:
    given, beyond = view
    return Claimed(steps, given.next_due, given.suspect_due, given.more or bool(beyond), beyond)


def _look(sql: Statements, request: ClaimRequest, now: datetime) -> _View:
    query = "claim_limited_keys" if request.flow_id is None else "claim_limited_flow"
    rows = sql.run(query, _values(request, now)).fetchall()
    contenders = [_contender(*row[1:]) for row in rows if row[1] is not None]
    given = allot_apart(contenders, request.limit, request.skew, now, alone=request.alone)
    return _View(given, go_on_behind(row[0] for row in rows if row[1] is None))


def _values(request: ClaimRequest, now: datetime) -> dict[str, Any]:
    return {
        "names": json.dumps(request.names),
        "queues": json.dumps(request.queues),
        "flow": plain(request.flow_id),
        "beyond": request.beyond,
        "lanes": KEYS_AT_ONCE + len(request.names),
        "depth": request.limit + 1,
        "now": instant(now),
    }


def _contender(rowid: int, step_id: str, *row: Any) -> Contender:
    one = Contender((step_id, rowid), *row)
    return one._replace(next_free_at=row[-1] and datetime.fromisoformat(row[-1]))
