"""The settlement of a batch: the rows that match, and what was settled before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Settlement
from stepwell.stores.postgres.arrays import Writer, array, columns, instant, number, text, uuids
from stepwell.stores.postgres.statements import Statements

_WRITERS: Final[Mapping[str, Writer]] = {
    "ended_as": str,
    "description": text,
    "activation_seen": number,
    "failure_count": number,
    "execution_started_at": instant,
    "execution_duration": number,
    "executed_by": text,
    "schedule_time": instant,
    "keep_state": str,
    "state": text,
    "state_format": text,
    "keep_activation": str,
    "result": text,
    "result_format": text,
    "unwritten": str,
}


def settle(
    statements: Statements, engine_id: UUID, settlements: Sequence[Settlement]
) -> tuple[set[int], set[int]]:
    """Apply those whose claims still hold; the places of these, and of what was settled before."""
    told = values(engine_id, settlements)
    rows = statements.rows("settle", **told)
    statements.work_is_due(any(due for _, due in rows))
    now = {place - 1 for place, _ in rows}
    if len(now) == len(settlements):
        return now, set()
    return now, {place - 1 for (place,) in statements.rows("settled_before", **told)} - now


def values(engine_id: UUID, settlements: Sequence[Settlement]) -> dict[str, Any]:
    """The settlements as the statement takes them: a column each."""
    return columns(settlements, _WRITERS) | {
        "engine_id": engine_id,
        "step_id": uuids(one.claim.step_id for one in settlements),
        "claim_no": array([one.claim.claim_no for one in settlements]),
    }
