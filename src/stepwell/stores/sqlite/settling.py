"""The settlement of a batch: rows first, then all additions, then what was settled before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from stepwell.outcome import Settlement, Verdict
from stepwell.step import Claim, EndedAs, StepStatus
from stepwell.stores.joins import Ending
from stepwell.stores.moves import check_taken_over
from stepwell.stores.sqlite.joining import add
from stepwell.stores.sqlite.rows import claims_json, ids_json, instant
from stepwell.stores.sqlite.statements import Statements

_Values: TypeAlias = tuple[Any, ...]


def settle(
    sql: Statements, engine_id: UUID, settlements: Sequence[Settlement], now: str
) -> list[Verdict]:
    """Apply the settlements whose claims still hold."""
    engine = str(engine_id)
    if _all_hold(sql, engine, settlements):
        _apply(sql, engine, settlements, now, [])
        return [Verdict.APPLIED] * len(settlements)
    held = _claims(sql, "held", engine, [one.claim for one in settlements])
    matched = _first_of_each(one for one in settlements if one.claim in held)
    _apply(sql, engine, list(matched.values()), now, _endings(held, matched))
    others = [one.claim for one in settlements if matched.get(one.claim) is not one]
    before = _claims(sql, "settled_before", engine, others) if others else {}
    applied = matched.keys() | before
    return [Verdict.APPLIED if one.claim in applied else Verdict.REFUSED for one in settlements]


def _all_hold(sql: Statements, engine: str, settlements: Sequence[Settlement]) -> bool:
    """Whether every claim holds and no join is concerned, as nearly always."""
    claims = {one.claim.step_id: one.claim for one in settlements}
    values = {"claims": claims_json(claims.values()), "engine": engine}
    return bool(sql.run("held_by", values).fetchone() == (len(settlements), 0))


def _apply(
    sql: Statements,
    engine: str,
    settlements: Sequence[Settlement],
    now: str,
    endings: list[Ending],
) -> None:
    again: list[_Values] = []
    ended: dict[StepStatus, list[_Values]] = {StepStatus.DONE: [], StepStatus.FAILED: []}
    for one in settlements:
        if one.ended_as is None:
            again.append(_rerun(one, engine, now))
        else:
            ended[one.ended_as.status].append(_end(one, one.ended_as, engine, now))
    sql.run_many("settle_again", again)
    sql.run_many("settle_done", ended[StepStatus.DONE])
    sql.run_many("settle_failed", ended[StepStatus.FAILED])
    moved = [values[_ID] for rows in ended.values() for values in rows]
    if moved:
        sql.run("move_away", {"ids": ids_json(moved)})
    additions = [addition for one in settlements for addition in one.additions]
    check_taken_over(additions, add(sql, additions, now, endings))


_ID: Final = 15
"""The place of the id among the values."""


def _end(one: Settlement, ended_as: EndedAs, engine: str, now: str) -> _Values:
    more = (one.result, one.result_format, one.fingerprint, one.passes_join, ended_as)
    return (*_executed(one), *more, now, *_of_claim(one, engine))


def _rerun(one: Settlement, engine: str, now: str) -> _Values:
    due = None if one.schedule_time is None else instant(one.schedule_time)
    more = (due, one.keep_activation, one.fingerprint, None, None)
    return (*_executed(one), *more, now, *_of_claim(one, engine))


def _executed(one: Settlement) -> _Values:
    return (
        one.description,
        one.activation_seen,
        one.failure_count,
        instant(one.execution_started_at),
        one.execution_duration,
        one.executed_by,
        one.keep_state,
        one.state,
        one.state_format,
    )


def _of_claim(one: Settlement, engine: str) -> _Values:
    return str(one.claim.step_id), one.claim.claim_no, engine


def _endings(held: dict[Claim, tuple[Any, ...]], matched: dict[Claim, Settlement]) -> list[Ending]:
    """The members of joins among what ends."""
    return [
        Ending(UUID(join_id), claim.step_id, name, one.ended_as, one.description)
        for claim, (join_id, name) in held.items()
        if join_id and (one := matched[claim]).ended_as and not one.passes_join
    ]


def _claims(
    sql: Statements, query: str, engine: str, claims: list[Claim]
) -> dict[Claim, tuple[Any, ...]]:
    """The claims that the query finds, with its other columns."""
    values = {"claims": claims_json(claims), "engine": engine}
    return {Claim(UUID(one), no): tuple(more) for one, no, *more in sql.run(query, values)}


def _first_of_each(settlements: Iterable[Settlement]) -> dict[Claim, Settlement]:
    first: dict[Claim, Settlement] = {}
    for one in settlements:
        first.setdefault(one.claim, one)
    return first
