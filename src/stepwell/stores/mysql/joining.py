"""Joins on MySQL (R28): what `stores.joins` asks of a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from stepwell.step import Addition, EndedAs, JoinPolicy, Step
from stepwell.stores import joins
from stepwell.stores.joins import Ending, OpenJoin
from stepwell.stores.mysql import adding
from stepwell.stores.mysql.rows import texts
from stepwell.stores.mysql.statements import Statements


def add(
    sql: Statements, additions: Sequence[Addition], endings: Iterable[Ending] = ()
) -> list[bool]:
    """Insert rows, and do to joins what the verb means to them.

    Parameters
    ----------
    endings : members that the verb has ended before; those that give way to a new row are
        added to them.

    Raises
    ------
    UniqueKeyTaken : a ready step of that name and key exists; nothing was added.
    NotAMember : a join would wait for a step that was there before; nothing was added.
    """
    ended = list(endings)
    with sql.whole(needed=can_be_refused(additions)):
        inserted = adding.add(sql, additions, ended)
        _admit(sql, additions, inserted)
        close(sql, ended)
    return inserted


def can_be_refused(additions: Sequence[Addition]) -> bool:
    """Whether a rule may refuse one of them, so that the others must be taken back."""
    keys = any(one.step.unique_key is not None for one in additions)
    return keys or joins.concerned(additions)


def close(sql: Statements, endings: Sequence[Ending]) -> None:
    """Do to the joins what the ends of their members mean."""
    if endings:
        joins.close(_Rows(sql), endings)


def _admit(sql: Statements, additions: Sequence[Addition], inserted: Sequence[bool]) -> None:
    if not joins.concerned(additions):
        return
    joins.check_members(additions, inserted)
    for addition, new in zip(additions, inserted, strict=True):
        if new and joins.asks_for_place(addition.step):
            _take_place(sql, addition.step)


def _take_place(sql: Statements, copy: Step) -> None:
    if not sql.change("joins_take_place", source=str(copy.copy_of), join=str(copy.join_id)):
        sql.change("joins_leave", id=str(copy.id))


class _Rows:
    """The rows that wait."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql

    def open_joins(self, ids: Sequence[UUID], *, failing: bool) -> list[OpenJoin]:
        reached = texts(ids)
        if failing:
            reached = tuple(row[0] for row in self._sql.rows("joins_reached", ids=reached))
        return [
            OpenJoin(UUID(one), up and UUID(up), name, policy and JoinPolicy(policy))
            for one, up, name, policy in (self._sql.rows("joins_lock", ids=reached or (None,)))
        ]

    def count_down(self, ended: Mapping[UUID, int]) -> None:
        for join_id, count in ended.items():
            self._sql.change("joins_count_down", id=str(join_id), ended=count)
        self._sql.news = True

    def fail_join(self, join_id: UUID, reason: str) -> None:
        adding.end(self._sql, [str(join_id)], EndedAs.FAILED, reason, endings=[])
