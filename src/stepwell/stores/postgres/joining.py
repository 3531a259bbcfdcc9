"""Joins on PostgreSQL (R28): what `stores.joins` asks of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from stepwell.step import Addition, EndedAs, JoinPolicy
from stepwell.stores import joins
from stepwell.stores.joins import Ending, OpenJoin
from stepwell.stores.postgres.ending import end
from stepwell.stores.postgres.statements import Statements


def admit(statements: Statements, additions: Sequence[Addition], inserted: Sequence[bool]) -> None:
    """See that joins have all their members, and give copies the places of what failed."""
    if not joins.concerned(additions):
        return
    joins.check_members(additions, inserted)
    for addition, new in zip(additions, inserted, strict=True):
        step = addition.step
        if new and joins.asks_for_place(step):
            place = {"source": step.copy_of, "join": step.join_id, "copy": step.id}
            statements.rows("joins_take_place", **place)


def close(statements: Statements, endings: Sequence[Ending]) -> None:
    """Do to the joins what the ends of their members mean."""
    if endings:
        joins.close(_Rows(statements), endings)


class _Rows:
    """The rows that wait."""

    def __init__(self, statements: Statements) -> None:
        self._do = statements

    def open_joins(self, ids: Sequence[UUID], *, failing: bool) -> list[OpenJoin]:
        rows = self._do.rows("joins_open", ids=list(ids), failing=failing)
        return [
            OpenJoin(one, up, name, policy and JoinPolicy(policy)) for one, up, name, policy in rows
        ]

    def count_down(self, ended: Mapping[UUID, int]) -> None:
        rows = self._do.rows("joins_count_down", ids=list(ended), ended=list(ended.values()))
        self._do.work_is_due(any(due for (due,) in rows))

    def fail_join(self, join_id: UUID, reason: str) -> None:
        end(self._do, [join_id], EndedAs.FAILED, reason)
