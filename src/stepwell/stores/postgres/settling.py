"""The settlement of a batch: the rows that match, and what was settled before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Settlement
from stepwell.step import Addition
from stepwell.stores.joins import Ending
from stepwell.stores.postgres import adding
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
from stepwell.stores.postgres.queries import Call, sql
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
_FRESH: Final = attrgetter("fresh")
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
    form, given = values(told, packed=packed)
    parts = "settle_head", form, "settle", "settle_answer"
    ((due, places, *members),) = statements.rows(*parts, **given)
    statements.work_is_due(bool(due))
    endings = [_ending(settlements[one - 1], *join) for one, *join in _rows(members)]
    if due is not None and places is None:
        return set(range(len(settlements))), set(), endings
    now = {place - 1 for place in places or ()}
    rows = statements.rows("settled_before", **_named(_ROWS.each(told, packed=packed)))
    return now, {place - 1 for (place,) in rows} - now, endings


def can_be_last(settlements: Sequence[Settlement], additions: Sequence[Addition]) -> bool:
    """Whether nothing has to be asked between these settlements and the commit: all that they
    spawn is new, and nothing but a settlement's own end decides that it is inserted."""
    if not additions:
        return True
    parents = [one.claim.step_id for one in settlements for _ in one.additions]
    return (
        len(additions) <= adding.AT_ONCE
        and all(map(_FRESH, additions))
        and not adding.can_be_refused(additions)
        and parents == [one.step.created_by_step_id for one in additions]
    )


def last(
    engine_id: UUID,
    settlements: Sequence[Settlement],
    additions: Sequence[Addition],
    *,
    is_alive: bool,
) -> Call:
    """Settlements and what they spawn as one statement, which looks at nothing but claims.

    Parameters
    ----------
    is_alive : it is known that the engine is not declared dead before the commit.
    """
    form, given = values(columns_of([engine_id] * len(settlements), settlements), packed=True)
    parts = ["settle_head", form, "settle", "settle_answer"]
    if additions:
        rows, new = adding.values([one.step for one in additions], packed=True)
        given.update(new)
        parts[3:3] = ["spawn", "add", rows, "add_as", "spawn_of_settled"]
    if not is_alive and any(one.step.claimed_by is not None for one in additions):
        given["alive"] = engine_id
        parts[:2] = ["settle_alive", form, "settle_if_alive"]
    return sql(*parts), given


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
    """The part of the statement that takes these, and the values of all of it."""
    if _ROWS.are_alike(told):
        return "settle_alike", _named(_ROWS.alike(told, packed=packed))
    return "settle_each", _named(_ROWS.each(told, packed=packed))


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    """As the statements call them, in which new steps have columns of the same names."""
    return {f"told_{name}": value for name, value in given.items()}
