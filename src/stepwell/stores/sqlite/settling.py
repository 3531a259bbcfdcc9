"""The settlement of a batch: rows first, then all additions, then what was settled before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from stepwell.outcome import Settlement, Verdict
from stepwell.step import Claim
from stepwell.stores.joins import Ending
from stepwell.stores.moves import check_taken_over
from stepwell.stores.sqlite.arrays import alike, array, blob, pieces, texts
from stepwell.stores.sqlite.joining import add
from stepwell.stores.sqlite.rows import claims_json, id_text, instant
from stepwell.stores.sqlite.statements import Statements

_Values: TypeAlias = tuple[Any, ...]


def settle(
    sql: Statements, engine_id: UUID, settlements: Sequence[Settlement], now: str
) -> list[Verdict]:
    """Apply the settlements whose claims still hold."""
    engine = id_text(engine_id)
    if _stand_alone(sql, engine, settlements):
        if _apply(sql, engine, settlements, now) == len(settlements):
            _add(sql, settlements, now, [])
            return [Verdict.APPLIED] * len(settlements)
        sql.undo()
    held = _claims(sql, "held", engine, [one.claim for one in settlements])
    matched = _first_of_each(one for one in settlements if one.claim in held)
    _apply(sql, engine, list(matched.values()), now)
    _add(sql, list(matched.values()), now, _endings(held, matched))
    others = [one.claim for one in settlements if matched.get(one.claim) is not one]
    before = _claims(sql, "settled_before", engine, others) if others else {}
    applied = matched.keys() | before
    return [Verdict.APPLIED if one.claim in applied else Verdict.REFUSED for one in settlements]


def _stand_alone(sql: Statements, engine: str, settlements: Sequence[Settlement]) -> bool:
    """Whether each is of another step and no join is concerned, as nearly always: then it is
    enough to see how many are applied."""
    if len({one.claim.step_id.int for one in settlements}) < len(settlements):
        return False
    if sql.run("joins_any", ()).fetchone() == (0,):
        return True
    values = {"claims": claims_json([one.claim for one in settlements]), "engine": engine}
    return bool(sql.run("held_by", values).fetchone() == (len(settlements), 0))


def _apply(sql: Statements, engine: str, settlements: Sequence[Settlement], now: str) -> int:
    """Write the rows; how many claims have held. What did not hold may still be there."""
    again = [_rerun(one, engine, now) for one in settlements if one.ended_as is None]
    applied = sql.run_many("settle_again", again)
    ended = [one for one in settlements if one.ended_as is not None]
    for shared, part in alike(ended, _shared):
        values = dict(zip(_SHARED, shared, strict=True)) | {"engine": engine, "now": now}
        for piece in pieces(part, attrgetter("result")):
            applied += _end(sql, values, piece)
    return applied


def _add(
    sql: Statements, settlements: Sequence[Settlement], now: str, endings: list[Ending]
) -> None:
    additions = [addition for one in settlements for addition in one.additions]
    check_taken_over(additions, add(sql, additions, now, endings))


_SHARED: Final = (
    "ended_as",
    "activation_seen",
    "failure_count",
    "executed_by",
    "keep_state",
    "state",
    "state_format",
    "result_format",
    "fingerprint",
    "passes_join",
)
"""What steps that end together mostly share."""
_shared: Final = attrgetter(*_SHARED)


def _end(sql: Statements, shared: dict[str, Any], part: Sequence[Settlement]) -> int:
    ids = [id_text(one.claim.step_id) for one in part]
    described, results = [one.description for one in part], [one.result for one in part]
    alone, ended = texts(described, results, ids)
    values = shared | {"alone": alone, "ended": ended, "runs": blob(map(_run, part), _RUN)}
    moved = sql.run(f"settle_{shared['ended_as'].status}", values).rowcount
    sql.run("move_away", {"ids": ended if alone else array(ids)})
    return moved


_RUN: Final = 71
"""Characters of `_run`."""


def _run(one: Settlement) -> str:
    """As settle_done.sql reads it."""
    began = instant(one.execution_started_at)
    return "%s%24r%20d" % (began, one.execution_duration, one.claim.claim_no)  # noqa: UP031 - faster


def _rerun(one: Settlement, engine: str, now: str) -> _Values:
    due = None if one.schedule_time is None else instant(one.schedule_time)
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
        due,
        one.keep_activation,
        one.fingerprint,
        now,
        id_text(one.claim.step_id),
        one.claim.claim_no,
        engine,
    )


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
