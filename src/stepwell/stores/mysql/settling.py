"""The settlement of a batch: rows first, then all additions, then what was settled before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Settlement, Verdict
from stepwell.step import Claim, StepStatus
from stepwell.stores.joins import Ending
from stepwell.stores.moves import check_taken_over
from stepwell.stores.mysql.adding import move
from stepwell.stores.mysql.joining import add, can_be_refused
from stepwell.stores.mysql.rows import claim_values, texts, told
from stepwell.stores.mysql.statements import Statements

_CHARACTERS: Final = 1_000_000
"""Of JSON in one statement, far below the smallest usual `max_allowed_packet`."""


def settle(sql: Statements, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
    """Apply the settlements whose claims still hold."""
    if not settlements:
        return []
    held = _claims(sql, "held", engine_id, [one.claim for one in settlements])
    matched = _first_of_each(one for one in settlements if one.claim in held)
    sql.news = sql.news or any(limit_key for *_, limit_key in held.values())
    _apply(sql, list(matched.values()), _endings(held, matched))
    others = [one.claim for one in settlements if matched.get(one.claim) is not one]
    before = _claims(sql, "settled_before", engine_id, others) if others else {}
    applied = matched.keys() | before
    return [Verdict.APPLIED if one.claim in applied else Verdict.REFUSED for one in settlements]


def may_be_refused(settlement: Settlement) -> bool:
    """Whether it adds steps that a rule may refuse."""
    return can_be_refused(settlement.additions)


def _apply(sql: Statements, settlements: list[Settlement], endings: list[Ending]) -> None:
    for ids, document in _documents(settlements):
        sql.change("settle", ids=ids, settlements=document)
    for status in (StepStatus.DONE, StepStatus.FAILED):
        move(sql, texts(one.claim.step_id for one in settlements if _goes_to(status, one)), status)
    additions = [addition for one in settlements for addition in one.additions]
    check_taken_over(additions, add(sql, additions, endings))
    sql.news = sql.news or any(one.ended_as is None for one in settlements)


def _documents(settlements: list[Settlement]) -> Iterator[tuple[tuple[str, ...], str]]:
    """JSON arrays of bounded length, each with the ids of its rows."""
    ids: list[str] = []
    objects: list[str] = []
    characters = 0
    for one in settlements:
        text = told(one)
        if objects and characters + len(text) > _CHARACTERS:
            yield tuple(ids), f"[{','.join(objects)}]"
            ids, objects, characters = [], [], 0
        ids.append(str(one.claim.step_id))
        objects.append(text)
        characters += len(text)
    if objects:
        yield tuple(ids), f"[{','.join(objects)}]"


def _goes_to(status: StepStatus, settlement: Settlement) -> bool:
    return settlement.ended_as is not None and settlement.ended_as.status is status


def _endings(held: dict[Claim, tuple[Any, ...]], matched: dict[Claim, Settlement]) -> list[Ending]:
    """The members of joins among what ends."""
    return [
        Ending(UUID(join_id), claim.step_id, name, one.ended_as, one.description)
        for claim, (join_id, name, _) in held.items()
        if join_id and (one := matched[claim]).ended_as and not one.passes_join
    ]


def _claims(
    sql: Statements, query: str, engine_id: UUID, claims: list[Claim]
) -> dict[Claim, tuple[Any, ...]]:
    """The claims that the query finds, with its other columns."""
    rows = sql.rows(query, **claim_values(engine_id, claims))
    return {Claim(UUID(step_id), claim_no): tuple(more) for step_id, claim_no, *more in rows}


def _first_of_each(settlements: Iterable[Settlement]) -> dict[Claim, Settlement]:
    first: dict[Claim, Settlement] = {}
    for one in settlements:
        first.setdefault(one.claim, one)
    return first
