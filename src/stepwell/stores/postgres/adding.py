"""Adding steps: known ids are left alone, a taken unique key is dealt with as asked (R1, R5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from stepwell.errors import StoreUnavailable, UniqueKeyTaken
from stepwell.step import Addition, EndedAs, OnConflict, Step
from stepwell.stores.columns import COLUMNS
from stepwell.stores.joins import Ending, concerned
from stepwell.stores.moves import REPLACED
from stepwell.stores.postgres import joining
from stepwell.stores.postgres.arrays import Rows, columns, of_one, uuids
from stepwell.stores.postgres.ending import end
from stepwell.stores.postgres.queries import Call, Row, sql
from stepwell.stores.postgres.rows import KINDS, oldest
from stepwell.stores.postgres.statements import Statements

AT_ONCE: Final = 1000
"""Rows in one statement."""
SOON: Final = timedelta(seconds=1)
_TRIES: Final = 5
_DUE: Final = itemgetter(1)
_OF_EACH: Final = (
    "id",
    "name",
    "flow_id",
    "created_at",
    "schedule_time",
    "unique_key",
    "correlation_id",
    "search_key",
    "description",
    "created_by_step_id",
    "state",
)
_ROWS: Final = Rows(
    of_each={name: KINDS[name] for name in _OF_EACH},
    of_all={name: kind for name, kind in KINDS.items() if name not in _OF_EACH},
)


def add(
    statements: Statements, additions: Sequence[Addition], endings: Sequence[Ending] = ()
) -> list[bool]:
    """Insert rows; True for each that was inserted now. Then do to joins what the verb means.

    Parameters
    ----------
    endings : members that the verb has ended before.

    Raises
    ------
    UniqueKeyTaken : a ready step of that name and key exists; nothing was added.
    NotAMember : a join would wait for a step that was there before; nothing was added.
    """
    if not additions and not endings:
        return []
    ended = list(endings)
    with statements.whole(can_be_refused(additions)):
        inserted = _add_all(statements, additions, ended)
        joining.admit(statements, additions, inserted)
        joining.close(statements, ended)
    return inserted


def insertion(
    additions: Sequence[Addition], *, lent: bool, alive: Sequence[str] = ()
) -> list[Call]:
    """All that adds steps which nothing can refuse, at most `AT_ONCE` of them.

    Parameters
    ----------
    alive : the part of the statement that asks whether engines live, where that is not known.
    """
    steps = [one.step for one in additions]
    form, given = values(steps, packed=not lent)
    insert = sql("add", form, "add_as", *alive, "add_answer"), given
    if all(one.fresh for one in additions):
        return [insert]
    ids = [step.id for step in steps]
    return [insert, (sql("take_back"), {"ids": uuids(ids), "oldest": oldest(ids)})]


def values(steps: Sequence[Step], *, packed: bool) -> tuple[str, dict[str, Any]]:
    """The part of the statement that takes these rows, and their values."""
    if len(steps) == 1:
        return "add_one", of_one(steps[0], KINDS)
    told = columns(steps, COLUMNS)
    if told["schedule_time"] == told["created_at"]:
        told["schedule_time"] = (None,) * len(steps)  # then the statement needs it once
    if _ROWS.are_alike(told):
        return "add_alike", _ROWS.alike(told, packed=packed)
    return "add_many", _ROWS.each(told, packed=packed)


def inserted(additions: Sequence[Addition], answers: Sequence[list[Row]]) -> list[bool]:
    """What `add` returns, from the rows that the statements of `insertion` have given."""
    return _firsts(additions, _left(answers))


def is_any_due(answers: Sequence[list[Row]]) -> bool:
    """Whether one of those that were inserted is due, as the server sees it."""
    return any(map(_DUE, answers[0]))


def is_due_soon(additions: Iterable[Addition]) -> bool:
    """Whether one that anybody may claim is due within the second, as its maker sees it."""
    free = [one.step for one in additions if one.step.claimed_by is None]
    return any(step.schedule_time - step.created_at <= SOON for step in free)


def can_be_refused(additions: Sequence[Addition]) -> bool:
    """Whether a rule may refuse one of them, so that the others must be taken back."""
    return not {one.step.unique_key for one in additions} <= {None} or concerned(additions)


def _add_all(
    statements: Statements, additions: Sequence[Addition], endings: list[Ending]
) -> list[bool]:
    inserted: set[int] = set()
    for replaces, group in groupby(additions, _replaces):
        for batch in _batches(group, 1 if replaces else AT_ONCE):
            fresh = [one for one in batch if one.step.id.int not in inserted]
            if replaces:
                inserted |= _replace(statements, fresh, endings)
            else:
                inserted |= _add(statements, fresh)
    return _firsts(additions, inserted)


def _firsts(additions: Iterable[Addition], inserted: set[int]) -> list[bool]:
    """Which of them these are. An id that is given twice is inserted once."""
    first = dict.fromkeys(inserted, True)
    return [first.pop(one.step.id.int, False) for one in additions]


def _replaces(addition: Addition) -> bool:
    return addition.step.unique_key is not None and addition.on_conflict is OnConflict.REPLACE


def _batches(additions: Iterable[Addition], size: int) -> Iterable[list[Addition]]:
    rest = iter(additions)
    while batch := list(islice(rest, size)):
        yield batch


def _add(statements: Statements, additions: list[Addition]) -> set[int]:
    inserted = _insert(statements, additions)
    left_out = [
        one.step
        for one in additions
        if one.step.id.int not in inserted
        and one.step.unique_key is not None
        and one.on_conflict is OnConflict.ERROR
    ]
    _raise_if_taken(statements, left_out)
    return inserted


def _raise_if_taken(statements: Statements, left_out: list[Step]) -> None:
    """What was not inserted and is not known either was kept out by its unique key."""
    known = _known(statements, left_out) if left_out else set()
    for step in left_out:
        if step.id not in known:
            raise UniqueKeyTaken(step.name, step.unique_key or "")


def _replace(statements: Statements, additions: list[Addition], endings: list[Ending]) -> set[int]:
    steps = [one.step for one in additions]
    if not steps or _known(statements, steps):
        return set()
    for _ in range(_TRIES):  # another caller may take the key between the two statements
        endings += _end_holder(statements, steps[0])
        if inserted := _insert(statements, additions):
            return inserted
    raise _contested(steps[0])


def _end_holder(statements: Statements, step: Step) -> list[Ending]:
    holders = statements.rows("key_holders", step_name=step.name, unique_key=step.unique_key)
    ids = [row[0] for row in holders]
    return end(statements, ids, EndedAs.CANCELLED, REPLACED).endings if ids else []


def _insert(statements: Statements, additions: Sequence[Addition]) -> set[int]:
    if not additions:
        return set()
    answers = statements.rows_of(*insertion(additions, lent=statements.lent))
    statements.work_is_due(is_any_due(answers))
    return _left(answers)


def _left(answers: Sequence[list[Row]]) -> set[int]:
    """The numbers of the ids that were inserted and not taken back."""
    rows, *taken_back = answers
    inserted = {step_id.int for step_id, _ in rows}  # ids themselves take longer to look up
    return inserted.difference([step_id.int for (step_id,) in chain(*taken_back)])


def _known(statements: Statements, steps: list[Step]) -> set[UUID]:
    rows = statements.rows("known", ids=[step.id for step in steps])
    return {row[0] for row in rows}


def _contested(step: Step) -> StoreUnavailable:
    return StoreUnavailable(
        f"The unique key {step.unique_key!r} of {step.name!r} is being replaced by others too.",
        why=f"{_TRIES} tries met a new holder each time.",
        fix="Try again.",
    )
