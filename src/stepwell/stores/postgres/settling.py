"""The settlement of a batch: the rows that match, and what was settled before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Settlement
from stepwell.stores.joins import Ending
from stepwell.stores.postgres.arrays import (
    Writer,
    array,
    columns,
    instant,
    number,
    text,
    uuid_text,
    uuids,
)
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
    "fingerprint": text,
    "passes_join": str,
    "unwritten": str,
}
_DUE: Final = itemgetter(1)


def settle(
    statements: Statements, engines: Sequence[UUID], settlements: Sequence[Settlement]
) -> tuple[set[int], set[int], list[Ending]]:
    """Apply those whose claims still hold.

    Parameters
    ----------
    engines : whose claim each settles.

    Returns
    -------
    The places of these, and of what was settled before; and the members of joins that end.
    """
    told = values(engines, settlements)
    rows = statements.rows("settle", **told)
    statements.work_is_due(any(map(_DUE, rows)))
    now = {place - 1 for place, _, _, _ in rows}
    endings = [_ending(settlements[row[0] - 1], *row[2:]) for row in rows if row[2] is not None]
    if len(now) == len(settlements):
        return now, set(), endings
    before = {place - 1 for (place,) in statements.rows("settled_before", **told)}
    return now, before - now, endings


def _ending(settlement: Settlement, join_id: UUID, name: str) -> Ending:
    assert settlement.ended_as is not None, "it has ended"
    step_id, said = settlement.claim.step_id, settlement.description
    return Ending(join_id, step_id, name, settlement.ended_as, said)


def values(engines: Sequence[UUID], settlements: Sequence[Settlement]) -> dict[str, Any]:
    """The settlements as the statement takes them: a column each."""
    return columns(settlements, _WRITERS) | {
        "engine_id": array(engines, uuid_text),
        "step_id": uuids([one.claim.step_id for one in settlements]),
        "claim_no": array([one.claim.claim_no for one in settlements]),
    }
