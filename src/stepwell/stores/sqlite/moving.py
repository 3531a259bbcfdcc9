"""Rows that come, and rows that end: adding, ending by hand, and the move between tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, Final
from uuid import UUID

from stepwell.errors import UniqueKeyTaken
from stepwell.step import Addition, EndedAs, OnConflict, Step, StepStatus
from stepwell.stores import moves
from stepwell.stores.columns import COLUMNS
from stepwell.stores.joins import Ending
from stepwell.stores.sqlite.arrays import AT_ONCE, alike, blob, pieces, texts
from stepwell.stores.sqlite.rows import id_text, ids_json, instant, plain
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
    if all(one.fresh for one in additions):
        insert(sql, [one.step for one in additions])
        return [True] * len(additions)
    fresh = _new_ones(additions, known)
    insert(sql, [one.step for one in fresh.values()])
    return [fresh.get(one.step.id) is one for one in additions]


def load(sql: Statements, template: Step, rows: Iterable[tuple[str, str]]) -> int:
    """Insert a row like the template for each id and state; how many."""
    shared = [plain(value) for value in _shared(template)]
    flow, more = id_text(template.flow_id), _dates(template)
    own_flow = template.flow_id == template.id
    inserted, rest = 0, iter(rows)
    while part := list(islice(rest, AT_ONCE)):
        for piece in pieces(part, itemgetter(1)):
            heads = [f"{one}{one if own_flow else flow}{more}" for one, _ in piece]
            same = template.correlation_id, template.search_key
            keys = [[key] * len(piece) for key in same]
            inserted += _insert(sql, shared, heads, *keys, [state for _, state in piece])
    return inserted


_OWN: Final = (
    "id",
    "flow_id",
    "created_at",
    "schedule_time",
    "created_by_step_id",
    "correlation_id",
    "search_key",
    "state",
)
"""What rows that are added together differ in."""
_shared: Final = attrgetter(*[name for name in COLUMNS if name not in _OWN])


def insert(sql: Statements, steps: Iterable[Step]) -> int:
    """Insert rows of new ids; how many, for a unique key may be taken."""
    inserted = 0
    for shared, part in alike(steps, _shared):
        values = [*map(plain, shared)]
        for piece in pieces(part, attrgetter("state")):
            correlations = [step.correlation_id for step in piece]
            keys, states = [step.search_key for step in piece], [step.state for step in piece]
            inserted += _insert(sql, values, map(_head, piece), correlations, keys, states)
    return inserted


def _insert(
    sql: Statements, shared: list[Any], heads: Iterable[str], *told: Sequence[str | None]
) -> int:
    alone, states = texts(*told)
    return sql.run("add", [blob(heads, _HEAD), alone, *shared, states]).rowcount


_HEAD: Final = 162
"""Characters of `_head`."""


def _head(step: Step) -> str:
    """As add.sql reads it."""
    return f"{id_text(step.id)}{id_text(step.flow_id)}{_dates(step)}"


def _dates(step: Step) -> str:
    created, parent = instant(step.created_at), step.created_by_step_id
    due = created if step.schedule_time is step.created_at else instant(step.schedule_time)
    return f"{created}{due}{'' if parent is None else id_text(parent):36}"


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
    if not insert(sql, [step]):
        if addition.on_conflict is OnConflict.ERROR:
            raise UniqueKeyTaken(step.name, step.unique_key or "")
        if addition.on_conflict is OnConflict.IGNORE:
            return False
        _cancel(sql, step, now, endings)
        insert(sql, [step])
    known.add(step.id)
    return True


def _cancel(sql: Statements, successor: Step, now: str, endings: list[Ending]) -> None:
    key = [successor.name, successor.unique_key]
    found = sql.execute("SELECT id FROM stepwell_ready WHERE name = ? AND unique_key = ?", key)
    (taken,) = found.fetchone()
    end(sql, taken, EndedAs.CANCELLED, moves.REPLACED, None, now, endings)
