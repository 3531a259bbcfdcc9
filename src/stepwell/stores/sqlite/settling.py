"""The settlement of a batch: rows first, then all additions, then what was settled before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Settlement, Verdict
from stepwell.step import Claim, StepStatus
from stepwell.stores.joins import Ending
from stepwell.stores.sqlite.joining import add
from stepwell.stores.sqlite.moving import move
from stepwell.stores.sqlite.rows import claims_json, plain
from stepwell.stores.sqlite.statements import Statements

_TOLD: Final = (
    "ended_as",
    "description",
    "activation_seen",
    "failure_count",
    "execution_started_at",
    "execution_duration",
    "executed_by",
    "schedule_time",
    "keep_state",
    "state",
    "state_format",
    "keep_activation",
    "result",
    "result_format",
    "fingerprint",
    "passes_join",
)


def settle(
    sql: Statements, engine_id: UUID, settlements: Sequence[Settlement], now: str
) -> list[Verdict]:
    """Apply the settlements whose claims still hold."""
    held = _claims(sql, "held", engine_id, [one.claim for one in settlements])
    matched = _first_of_each(one for one in settlements if one.claim in held)
    endings = _endings(held, matched)
    _apply(sql, engine_id, list(matched.values()), now, endings)
    others = [one.claim for one in settlements if matched.get(one.claim) is not one]
    before = _claims(sql, "settled_before", engine_id, others) if others else {}
    applied = matched.keys() | before
    return [Verdict.APPLIED if one.claim in applied else Verdict.REFUSED for one in settlements]


def _apply(
    sql: Statements,
    engine_id: UUID,
    settlements: list[Settlement],
    now: str,
    endings: list[Ending],
) -> None:
    sql.run_many("settle", [_values(engine_id, one, now) for one in settlements])
    for status in (StepStatus.DONE, StepStatus.FAILED):
        move(sql, [str(one.claim.step_id) for one in settlements if _goes_to(status, one)], status)
    add(sql, [addition for one in settlements for addition in one.additions], now, endings)


def _goes_to(status: StepStatus, settlement: Settlement) -> bool:
    return settlement.ended_as is not None and settlement.ended_as.status is status


def _endings(held: dict[Claim, tuple[Any, ...]], matched: dict[Claim, Settlement]) -> list[Ending]:
    """The members of joins among what ends."""
    return [
        Ending(UUID(join_id), claim.step_id, name, one.ended_as, one.description)
        for claim, (join_id, name) in held.items()
        if join_id and (one := matched[claim]).ended_as and not one.passes_join
    ]


def _claims(
    sql: Statements, query: str, engine_id: UUID, claims: list[Claim]
) -> dict[Claim, tuple[Any, ...]]:
    """The claims that the query finds, with its other columns."""
    values = {"claims": claims_json(claims), "engine": str(engine_id)}
    return {Claim(UUID(one), no): tuple(more) for one, no, *more in sql.run(query, values)}


def _first_of_each(settlements: Iterable[Settlement]) -> dict[Claim, Settlement]:
    first: dict[Claim, Settlement] = {}
    for one in settlements:
        first.setdefault(one.claim, one)
    return first


def _values(engine_id: UUID, settlement: Settlement, now: str) -> dict[str, Any]:
    values = {name: plain(getattr(settlement, name)) for name in _TOLD}
    return values | {
        "id": str(settlement.claim.step_id),
        "claim_no": settlement.claim.claim_no,
        "engine": str(engine_id),
        "now": now,
    }
