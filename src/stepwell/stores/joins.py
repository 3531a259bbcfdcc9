"""What the end of a member means for the step that waits for it (R28).

A join is a ready row that waits for `waiting_for` members; each of them carries its id
in `join_id`. What a verb ended is collected as `Ending`s and given to `close` at the
end of the verb, so that a batch touches each join once. A verb that ended no member
asks the store nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from stepwell.errors import NotAMember
from stepwell.step import Addition, EndedAs, JoinPolicy, Step, StepStatus


@dataclass(frozen=True, slots=True)
class Ending:
    """A member that has ended, and of which join it was one."""

    join_id: UUID
    step_id: UUID
    name: str
    ended_as: EndedAs
    description: str | None


@dataclass(frozen=True, slots=True)
class OpenJoin:
    """A row that waits; `join_id` is set where it is itself a member of another."""

    id: UUID
    join_id: UUID | None
    name: str
    policy: JoinPolicy | None


class Rows(Protocol):
    """What a store does for joins; each is a statement."""

    def open_joins(self, ids: Sequence[UUID], *, failing: bool) -> list[OpenJoin]:
        """Lock those of the rows that still wait.

        `failing` brings those as well that the failure of one of them reaches: the join
        that it is a member of, and so on, as long as the policy is 'fail'. Rows are locked
        by id, the newest first: a join is newer than the one that it is a member of, so
        this is also the order in which failures rise, and no two transactions wait for
        each other.
        """
        ...

    def count_down(self, ended: Mapping[UUID, int]) -> None:
        """Lower `waiting_for`; a row that reaches 0 is due now, unless it is due later, and
        waiting engines are told."""
        ...

    def fail_join(self, join_id: UUID, reason: str) -> None:
        """End the row as failed, as by hand."""
        ...


def close(rows: Rows, endings: Sequence[Ending]) -> None:
    """Do to the joins what the ends of their members mean."""
    if not endings:
        return
    ids = sorted({one.join_id for one in endings})
    failing = any(_failed(one) for one in endings)
    joins = {join.id: join for join in rows.open_joins(ids, failing=failing)}
    ended, failed = consequences(endings, joins)
    if ended:
        rows.count_down(ended)
    for join_id, reason in failed.items():
        rows.fail_join(join_id, reason)


def consequences(
    endings: Iterable[Ending], joins: Mapping[UUID, OpenJoin]
) -> tuple[dict[UUID, int], dict[UUID, str]]:
    """How many members of which joins have ended, and which joins fail for which reason.

    The failure of a join that is itself a member rises to the one that waits for it.
    """
    ended: Counter[UUID] = Counter()
    failed: dict[UUID, str] = {}
    left = list(endings)
    for one in left:
        join = joins.get(one.join_id)
        if join is None or join.id in failed:
            continue
        if not _failed(one) or join.policy is JoinPolicy.GO_ON:
            ended[join.id] += 1
        elif join.policy is JoinPolicy.FAIL:
            failed[join.id] = _reason(one)
            if join.join_id is not None:
                up = Ending(join.join_id, join.id, join.name, EndedAs.FAILED, failed[join.id])
                left.append(up)
    return {one: count for one, count in ended.items() if one not in failed}, failed


def check_members(additions: Sequence[Addition], inserted: Sequence[bool]) -> None:
    """Each join that was inserted now waits for as many members as were inserted with it; and
    one that was not gets neither new members nor the place that another step has left it.

    Raises
    ------
    NotAMember : one of them was there before; nothing may be kept.
    """
    steps = [addition.step for addition in additions]
    fresh = [step for step, new in zip(steps, inserted, strict=True) if new]
    known = {step.id: step for step, new in zip(steps, inserted, strict=True) if not new}
    members = Counter(step.join_id for step in fresh if step.join_id is not None)
    for step in fresh:
        if step.waiting_for and step.waiting_for != members[step.id]:
            raise NotAMember(step.name, step.waiting_for, members[step.id])
        if step.join_id in known:
            raise NotAMember.of(known[step.join_id].name)
    ids = {step.id for step in steps}
    for step in known.values():
        if step.join_id is not None and step.join_id not in ids and step.copy_of is None:
            raise NotAMember.of(step.name)


def concerned(additions: Iterable[Addition]) -> bool:
    """Whether one of the rows waits for others, or belongs to one that does."""
    steps = [one.step for one in additions]
    members = {step.join_id for step in steps}
    return not (members <= {None} and {step.waiting_for for step in steps} <= {0})


def asks_for_place(step: Step) -> bool:
    """Whether a new row is a copy that wants its source's place in a join."""
    return step.join_id is not None and step.copy_of is not None


def _failed(ending: Ending) -> bool:
    return ending.ended_as.status is StepStatus.FAILED


def _reason(ending: Ending) -> str:
    how = "was cancelled" if ending.ended_as is EndedAs.CANCELLED else "failed"
    said = (ending.description or "").strip().partition("\n")[0]
    return f"its member {ending.name!r} ({ending.step_id}) {how}{': ' + said if said else ''}"
