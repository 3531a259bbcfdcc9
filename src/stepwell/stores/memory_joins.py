"""Joins on dictionaries (R28): what `stores.joins` asks of a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from stepwell.step import EndedAs, JoinPolicy, Step, StepStatus
from stepwell.stores import joins, moves
from stepwell.stores.joins import Ending, OpenJoin

Table: TypeAlias = dict[UUID, Step]


class MemoryJoins:
    """What the verbs of one transaction ended, and the rows that wait for it.

    Parameters
    ----------
    steps : the tables; `put` and `move` change them, and the journal knows.
    """

    def __init__(
        self,
        steps: Mapping[StepStatus, Table],
        put: Callable[[dict[Any, Any], Any, Any], None],
        move: Callable[[Step, Step], None],
        now: datetime,
    ) -> None:
        self._ready, self._failed = steps[StepStatus.READY], steps[StepStatus.FAILED]
        self._put, self._move, self._now = put, move, now
        self._endings: list[Ending] = []

    def note(self, step: Step) -> None:
        """Remember the end of a member until the end of the verb."""
        if step.join_id is not None and step.ended_as is not None:
            ending = Ending(step.join_id, step.id, step.name, step.ended_as, step.description)
            self._endings.append(ending)

    def forget(self) -> None:
        """What the verb ended was taken back."""
        self._endings.clear()

    def close(self) -> None:
        """The verb is at its end: do to the joins what it means."""
        endings, self._endings = self._endings, []
        joins.close(self, endings)

    def open_joins(self, ids: Sequence[UUID], *, failing: bool) -> list[OpenJoin]:
        """Those of the rows that wait, and whom the failure of one of them reaches."""
        found: dict[UUID, OpenJoin] = {}
        left = list(ids)
        for one in left:
            step = self._ready.get(one)
            if step is None or not step.waiting_for or one in found:
                continue
            found[one] = OpenJoin(step.id, step.join_id, step.name, step.join_policy)
            if failing and step.join_policy is JoinPolicy.FAIL and step.join_id is not None:
                left.append(step.join_id)
        return list(found.values())

    def count_down(self, ended: Mapping[UUID, int]) -> None:
        """Lower the numbers that the rows wait for."""
        for join_id, count in ended.items():
            step = self._ready[join_id]
            self._move(step, moves.counted_down(step, count, self._now))

    def fail_join(self, join_id: UUID, reason: str) -> None:
        """End a row that waits; whoever waits for it knows already."""
        step = self._ready[join_id]
        self._move(step, moves.ended(step, EndedAs.FAILED, reason, self._now))

    def take_place(self, copy: Step) -> None:
        """The copy of a failed member takes its place, once; else it is no member (R28)."""
        source = self._failed.get(_id(copy.copy_of))
        if source is not None and source.join_id == copy.join_id and self._waits(copy.join_id):
            self._put(self._failed, source.id, replace(source, join_id=None))
        else:
            self._put(self._ready, copy.id, replace(copy, join_id=None))

    def _waits(self, join_id: UUID | None) -> bool:
        """Whether it waits for copies of members that fail."""
        join = self._ready.get(_id(join_id))
        return bool(join and join.waiting_for and join.join_policy is JoinPolicy.WAIT)


def _id(one: UUID | None) -> UUID:
    assert one is not None, "asked of copies that name their source and its join only"
    return one
