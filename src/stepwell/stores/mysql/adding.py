"""Rows that come, and rows that end: adding, ending by hand, and the move between tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final
from uuid import UUID

from stepwell.errors import StoreUnavailable, UniqueKeyTaken
from stepwell.step import Addition, EndedAs, OnConflict, Step, StepStatus
from stepwell.stores.joins import Ending
from stepwell.stores.moves import REPLACED
from stepwell.stores.mysql.errors import rejected
from stepwell.stores.mysql.rows import row_of, texts
from stepwell.stores.mysql.statements import Statements

_AT_ONCE: Final = 500
"""Rows in one statement."""
_CHARACTERS: Final = 1_000_000
"""Of text in one statement, far below the smallest usual `max_allowed_packet`."""
_TRIES: Final = 5


def add(sql: Statements, additions: Sequence[Addition], endings: list[Ending]) -> list[bool]:
    """Insert rows; True for each that was inserted now. Members that gave way to one of
    them are added to `endings`. The caller takes everything back if it raises.

    Raises
    ------
    UniqueKeyTaken : a ready step of that name and key exists.
    """
    if not additions:
        return []
    known = _known(sql, additions)
    inserted: set[UUID] = set()
    for replaces, group in groupby(_new_ones(additions, known), _replaces):
        for batch in [[one] for one in group] if replaces else batches(group):
            fresh = _replace(sql, batch[0], endings) if replaces else _insert(sql, batch)
            inserted |= fresh
    sql.news = sql.news or bool(inserted)
    return [_first(one.step.id, inserted) for one in additions]


def load(sql: Statements, additions: Iterable[Addition]) -> int:
    """Insert rows that are all new, and say how many.

    Raises
    ------
    SettlementRejected : one of them is not new.
    """
    count = 0
    for batch in batches(additions):
        if not sql.insert("add", [row_of(one.step) for one in batch]):
            raise rejected("A row of one of the ids exists already.")
        count += len(batch)
    sql.news = sql.news or count > 0
    return count


def end(
    sql: Statements,
    ids: Sequence[str],
    ended_as: EndedAs,
    reason: str,
    result: str | None = None,
    raised: int = 1,
    *,
    endings: list[Ending],
) -> bool:
    """Move ready rows to where they end; their claim numbers rise by `raised`. Members of
    joins are added to `endings`."""
    rows = sql.rows("lock_rows", ids=tuple(ids)) if ids else ()
    ready = tuple(row[0] for row in rows)
    if not ready:
        return False
    sql.change(
        "end", ids=ready, ended_as=str(ended_as), reason=reason, result=result, raised=raised
    )
    move(sql, ready, ended_as.status)
    sql.news = True  # one of them may have held a slot of a limit
    endings += [
        Ending(UUID(join_id), UUID(step_id), name, ended_as, reason)
        for step_id, *_, join_id, name in rows
        if join_id
    ]
    return True


def move(sql: Statements, ended: Sequence[str], status: StepStatus) -> None:
    """Take rows that are marked as ended to the table of their status."""
    if ended:
        sql.change(f"move_{status}", ids=tuple(ended))
        sql.change("move_away", ids=tuple(ended))


def batches(additions: Iterable[Addition]) -> Iterator[list[Addition]]:
    """As many as one statement takes."""
    batch: list[Addition] = []
    characters = 0
    for one in additions:
        size = _size(one.step)
        if batch and (len(batch) == _AT_ONCE or characters + size > _CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(one)
        characters += size
    if batch:
        yield batch


def _size(step: Step) -> int:
    return sum(len(text or "") for text in (step.state, step.activation_args, step.description))


def _first(step_id: UUID, inserted: set[UUID]) -> bool:
    """An id that is given twice is inserted once."""
    found = step_id in inserted
    inserted.discard(step_id)
    return found


def _replaces(addition: Addition) -> bool:
    return addition.step.unique_key is not None and addition.on_conflict is OnConflict.REPLACE


def _known(sql: Statements, additions: Sequence[Addition]) -> set[UUID]:
    rows = sql.rows("known", ids=texts(one.step.id for one in additions))
    return {UUID(step_id) for (step_id,) in rows}


def _new_ones(additions: Sequence[Addition], known: set[UUID]) -> Iterable[Addition]:
    first: dict[UUID, Addition] = {}
    for one in additions:
        if one.step.id not in known:
            first.setdefault(one.step.id, one)
    return first.values()


def _insert(sql: Statements, batch: list[Addition]) -> set[UUID]:
    if sql.insert("add", [row_of(one.step) for one in batch]):
        return {one.step.id for one in batch}
    return {one.step.id for one in batch if _insert_one(sql, one)}


def _insert_one(sql: Statements, addition: Addition) -> bool:
    step = addition.step
    if sql.insert("add", [row_of(step)]):
        return True
    if addition.on_conflict is OnConflict.ERROR and not _is_ready(sql, step):
        raise UniqueKeyTaken(step.name, step.unique_key or "")
    return False


def _is_ready(sql: Statements, step: Step) -> bool:
    return bool(sql.current("is_ready", id=str(step.id)))


def _replace(sql: Statements, addition: Addition, endings: list[Ending]) -> set[UUID]:
    step = addition.step
    for _ in range(_TRIES):  # another caller may take the key between the two statements
        holders = sql.current("key_holder", name=step.name, unique_key=step.unique_key)
        taken = [row[0] for row in holders]
        end(sql, taken, EndedAs.CANCELLED, REPLACED, endings=endings)
        if sql.insert("add", [row_of(step)]):
            return {step.id}
        if _is_ready(sql, step):
            return set()
    raise _contested(step)


def _contested(step: Step) -> StoreUnavailable:
    return StoreUnavailable(
        f"The unique key {step.unique_key!r} of {step.name!r} is being replaced by others too.",
        why=f"{_TRIES} tries met a new holder each time.",
        fix="Try again.",
    )
