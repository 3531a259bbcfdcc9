"""Rows that come, and rows that end: adding, ending by hand, and the move between tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from stepwell.errors import UniqueKeyTaken
from stepwell.step import Addition, EndedAs, OnConflict, Step, StepStatus
from stepwell.stores import moves
from stepwell.stores.joins import Ending
from stepwell.stores.sqlite.rows import COLUMNS, ids_json, row_of
from stepwell.stores.sqlite.statements import Statements


def add(
    sql: Statements, additions: Sequence[Addition], now: str, endings: list[Ending]
) -> list[bool]:
    """Insert rows; True for each that was inserted now. Members that gave way to one of
    them are added to `endings`."""
    if not additions:
        return []
    known = _known(sql, [one for one in additions if not one.fresh])
    if any(one.step.unique_key is not None for one in additions):
        return [_add_one(sql, one, known, now, endings) for one in additions]
    fresh = _new_ones(additions, known)
    sql.run_many("add", [row_of(one.step) for one in fresh.values()])
    return [fresh.get(one.step.id) is one for one in additions]


def load(sql: Statements, template: Step, rows: Iterable[tuple[str, str]]) -> int:
    """Insert a row like the template for each id and state; how many."""
    before = row_of(template)
    head, middle, tail = before[1:_FLOW], before[_FLOW + 1 : _STATE], before[_STATE + 1 :]
    own_flow = template.flow_id == template.id
    return sql.run_many(
        "add",
        (
            [one, *head, one if own_flow else before[_FLOW], *middle, state, *tail]
            for one, state in rows
        ),
    )


_FLOW: Final = COLUMNS.index("flow_id")
_STATE: Final = COLUMNS.index("state")


def end(
    sql: Statements,
    step_id: str,
    ended_as: EndedAs,
    reason: str,
    result: str | None,
    now: str,
    endings: list[Ending],
) -> bool:
    """End a ready row, claimed or not; False if it is not ready. A member is added to `endings`."""
    values = {
        "id": step_id,
        "ended_as": ended_as,
        "reason": reason,
        "result": result,
        "now": now,
    }
    ended = sql.run("end", values).fetchall()
    move(sql, [step_id] if ended else [], ended_as.status)
    endings += [
        Ending(UUID(join_id), UUID(step_id), name, ended_as, reason)
        for join_id, name in ended
        if join_id
    ]
    return bool(ended)


def move(sql: Statements, ended: list[str], status: StepStatus) -> None:
    """Take rows that are marked as ended to the table of their status."""
    if ended:
        values = {"ids": ids_json(ended)}
        sql.run(f"move_{status}", values)
        sql.run("move_away", values)


def _known(sql: Statements, additions: Sequence[Addition]) -> set[UUID]:
    if not additions:
        return set()
    ids = ids_json(one.step.id for one in additions)
    return {UUID(one) for (one,) in sql.run("known", {"ids": ids})}


def _new_ones(additions: Sequence[Addition], known: set[UUID]) -> dict[UUID, Addition]:
    first: dict[UUID, Addition] = {}
    for one in additions:
        if one.step.id not in known:
            first.setdefault(one.step.id, one)
    return first


def _add_one(
    sql: Statements, addition: Addition, known: set[UUID], now: str, endings: list[Ending]
) -> bool:
    """In order, for what is added first may hold the key that the next one asks for."""
    step = addition.step
    if step.id in known:
        return False
    if not _insert(sql, step):
        if addition.on_conflict is OnConflict.ERROR:
            raise UniqueKeyTaken(step.name, step.unique_key or "")
        if addition.on_conflict is OnConflict.IGNORE:
            return False
        _cancel(sql, step, now, endings)
        _insert(sql, step)
    known.add(step.id)
    return True


def _insert(sql: Statements, step: Step) -> bool:
    return bool(sql.run("add", row_of(step)).rowcount)


def _cancel(sql: Statements, successor: Step, now: str, endings: list[Ending]) -> None:
    key = [successor.name, successor.unique_key]
    found = sql.execute("SELECT id FROM stepwell_ready WHERE name = ? AND unique_key = ?", key)
    (taken,) = found.fetchone()
    end(sql, taken, EndedAs.CANCELLED, moves.REPLACED, None, now, endings)
