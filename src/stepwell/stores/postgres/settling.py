"""The settlement of a batch: the rows that match, and what was settled before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Settlement
from stepwell.stores.joins import Ending
from stepwell.stores.postgres.arrays import (
    DOUBLE,
    FLAG,
    ID,
    INSTANT,
    NUMBER,
    TEXT,
    WORD,
    Rows,
    columns,
)
from stepwell.stores.postgres.statements import Statements

_ROWS: Final = Rows(
    of_each={
        "step_id": ID,
        "claim_no": NUMBER,
        "description": TEXT,
        "execution_started_at": INSTANT,
        "execution_duration": DOUBLE,
        "result": TEXT,
    },
    of_all={
        "engine_id": ID,
        "ended_as": WORD,
        "activation_seen": NUMBER,
        "failure_count": NUMBER,
        "executed_by": TEXT,
        "schedule_time": INSTANT,
        "keep_state": FLAG,
        "state": TEXT,
        "state_format": TEXT,
        "keep_activation": FLAG,
        "result_format": TEXT,
        "fingerprint": TEXT,
        "passes_join": FLAG,
        "unwritten": FLAG,
    },
)
_OWN: Final = tuple(
    name
    for name in (*_ROWS.of_each, *_ROWS.of_all)
    if name not in {"step_id", "claim_no", "engine_id"}
)


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
    packed = not statements.lent
    told = columns_of(engines, settlements)
    asked, given = values(told, packed=packed)
    ((due, places, *members),) = statements.rows(asked, "settle", **given)
    statements.work_is_due(bool(due))
    endings = [_ending(settlements[one - 1], *join) for one, *join in _rows(members)]
    if due is not None and places is None:
        return set(range(len(settlements))), set(), endings
    now = {place - 1 for place in places or ()}
    rows = statements.rows("settled_before", **_ROWS.each(told, packed=packed))
    return now, {place - 1 for (place,) in rows} - now, endings


def _rows(columns: Iterable[Sequence[Any] | None]) -> Iterable[Sequence[Any]]:
    return zip(*[column or () for column in columns], strict=True)


def _ending(settlement: Settlement, join_id: UUID, name: str) -> Ending:
    assert settlement.ended_as is not None, "it has ended"
    step_id, said = settlement.claim.step_id, settlement.description
    return Ending(join_id, step_id, name, settlement.ended_as, said)


def columns_of(
    engines: Sequence[UUID], settlements: Sequence[Settlement]
) -> dict[str, Sequence[Any]]:
    """The settlements as columns, by name."""
    claims = [one.claim for one in settlements]
    return {
        **columns(settlements, _OWN),
        "engine_id": engines,
        "step_id": [claim.step_id for claim in claims],
        "claim_no": [claim.claim_no for claim in claims],
    }


def values(told: Mapping[str, Sequence[Any]], *, packed: bool) -> tuple[str, dict[str, Any]]:
    """The first part of the statement, and the values of all of it."""
    if _ROWS.are_alike(told):
        return "settle_alike", _ROWS.alike(told, packed=packed)
    return "settle_each", _ROWS.each(told, packed=packed)
