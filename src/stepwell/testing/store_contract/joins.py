"""Joins: a row that waits for its members, whatever becomes of them (R28)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.errors import NotAMember
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Addition, EndedAs, JoinPolicy, OnConflict, Step, StepStatus
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import (
    PATIENCE,
    ContractBase,
    Cut,
    Where,
    ahead,
    needs,
)

WAIT, FAIL, GO_ON = JoinPolicy.WAIT, JoinPolicy.FAIL, JoinPolicy.GO_ON
BAD_ENDS: Final = pytest.mark.parametrize("end", [EndedAs.FAILED, EndedAs.CANCELLED])
EITHER: Final = pytest.mark.parametrize("where", ["before", "after"])


class JoinWords(ContractBase):
    """Ways to say things about joins briefly."""

    def _made(
        self, count: int = 2, policy: JoinPolicy = WAIT, **fields: Any
    ) -> tuple[Step, list[Step]]:
        join = self.make_step("join", waiting_for=count, join_policy=policy, **fields)
        return join, [self.make_step(join_id=join.id) for _ in range(count)]

    def _fan(
        self, store: Store, count: int = 2, policy: JoinPolicy = WAIT, **fields: Any
    ) -> tuple[Step, list[Step]]:
        """A join that waits for so many members, just added."""
        join, members = self._made(count, policy, **fields)
        assert self.add(store, *members, join) == [True] * (count + 1)
        return self.find(store, join), members

    def _nested(
        self, store: Store, outer_policy: JoinPolicy, policy: JoinPolicy, members: int = 1
    ) -> tuple[Step, Step]:
        """An outer join, whose one member is the inner one."""
        outer = self.make_step("join", waiting_for=1, join_policy=outer_policy)
        inner, inside = self._made(members, policy, join_id=outer.id)
        self.add(store, outer, inner, *inside)
        return outer, inner

    def _copy(self, source: Step) -> Step:
        """What a re-execution adds."""
        found: UUID | None = source.join_id
        return self.make_step(copy_of=source.id, join_id=found)

    def _engine(self, store: Store) -> UUID:
        return self.make_engine(store, "work", "join")

    def _claim(self, store: Store, engine: UUID, **fields: Any) -> list[Step]:
        return list(self.claim(store, engine, "work", "join", **fields).steps)

    def _settling(
        self,
        store: Store,
        engine: UUID,
        *settlements: Settlement,
        after: threading.Event | None = None,
    ) -> Callable[[], Any]:
        def settle() -> list[Verdict]:
            assert after is None or after.wait(PATIENCE)
            return self.settle(store, engine, *settlements)

        return settle

    def _hold(self, store: Store, step: Step, held: threading.Event) -> None:
        """Keep the row for a moment, in a transaction that others wait for."""
        with store.transaction() as tx:
            tx.activate(step.id, None, None)
            held.set()
            threading.Event().wait(0.3)

    def _shared_out(
        self, store: Store, one: UUID, other_store: Store, other: UUID
    ) -> tuple[list[Step], list[Step]]:
        """What is due, every other row claimed by each of two engines."""
        mine: list[Step] = []
        theirs: list[Step] = []
        while step := self._claim(store, one, limit=1):
            mine += step
            theirs += self._claim(other_store, other, limit=1)
        return mine, theirs

    def _end_all(self, store: Store, ended_as: EndedAs, *labels: str) -> None:
        """Whatever is due of these names ends so; 'work' if there are none."""
        engine = self.make_engine(store, *labels)
        while held := self.claim(store, engine, *labels).steps:
            self.settle(store, engine, *(self.ending(step, ended_as=ended_as) for step in held))

    def _add_one(self, store: Store, addition: Addition, in_settlement: bool) -> None:
        if not in_settlement:
            with store.transaction() as tx:
                tx.add([addition])
            return
        self.added(store, id=new_id())
        engine = self.make_engine(store)
        self.settle(store, engine, self.ending(self.claim_one(store, engine), addition))


class JoinsContract(JoinWords):
    """What holds of rows that wait for others, and of members that fail."""

    def test_a_row_that_waits_is_not_claimed_and_not_due(self, store: Store) -> None:
        join, members = self._fan(store)
        engine = self._engine(store)
        assert {step.id for step in self._claim(store, engine)} == {step.id for step in members}
        assert self.claim(store, engine, "work", "join").next_due is None
        assert self.find(store, join) == join

    def test_the_last_member_to_end_makes_it_due(self, store: Store) -> None:
        join, _ = self._fan(store, 3)
        engine = self._engine(store)
        first, second, third = self._claim(store, engine)
        self.settle(store, engine, self.ending(first))
        self.settle(store, engine, self.ending(second, ended_as=EndedAs.SKIPPED))
        assert self.find(store, join).waiting_for == 1
        assert self._claim(store, engine) == []
        self.settle(store, engine, self.ending(third))
        (claimed,) = self._claim(store, engine)
        assert (claimed.id, claimed.waiting_for) == (join.id, 0)
        assert abs((claimed.schedule_time - now()).total_seconds()) < 30

    def test_members_that_end_in_one_batch_are_all_counted(self, store: Store) -> None:
        (one, _), (other, _) = self._fan(store, 3), self._fan(store, 2)
        engine = self._engine(store)
        held = self._claim(store, engine)
        self.settle(store, engine, *(self.ending(step) for step in held))
        assert {step.id for step in self._claim(store, engine)} == {one.id, other.id}

    def test_a_row_with_a_later_time_of_its_own_waits_for_that_too(self, store: Store) -> None:
        due = ahead()
        join, _ = self._fan(store, 1, schedule_time=due)
        engine = self._engine(store)
        self.settle(store, engine, self.ending(*self._claim(store, engine)))
        assert self._claim(store, engine) == []
        found = self.find(store, join)
        assert (found.schedule_time, found.waiting_for) == (due, 0)

    def test_an_activated_row_still_waits_for_its_members(self, store: Store) -> None:
        join, _ = self._fan(store)
        assert self.activate(store, join, "1")
        engine = self._engine(store)
        assert join.id not in {step.id for step in self._claim(store, engine)}
        assert self.find(store, join).waiting_for == 2

    def test_reruns_and_retries_stay_members(self, store: Store) -> None:
        join, _ = self._fan(store, 1)
        engine = self._engine(store)
        for failures in (0, 1):
            (step,) = self._claim(store, engine)
            self.settle(store, engine, self.rerunning(step, failure_count=failures))
            assert self.find(store, step).join_id == join.id
            assert self.find(store, join).waiting_for == 1
        self.settle(store, engine, self.ending(*self._claim(store, engine)))
        assert self.find(store, join).waiting_for == 0

    def test_claims_given_back_do_not_count(self, store: Store) -> None:
        join, _ = self._fan(store, 1)
        engine = self._engine(store)
        (step,) = self._claim(store, engine)
        self.release(store, engine, step.claim)
        assert self.find(store, join).waiting_for == 1

    def test_a_stale_settlement_does_not_count(self, store: Store) -> None:
        join, _ = self._fan(store, 1)
        engine = self._engine(store)
        (step,) = self._claim(store, engine)
        self.release(store, engine, step.claim)
        assert self.settle(store, engine, self.ending(step)) == [Verdict.REFUSED]
        assert self.find(store, join).waiting_for == 1

    def test_a_settlement_made_twice_counts_once(self, store: Store) -> None:
        join, _ = self._fan(store)
        engine = self._engine(store)
        step, _ = self._claim(store, engine)
        ending = self.ending(step)
        self.settle(store, engine, ending, ending)
        assert self.settle(store, engine, ending) == [Verdict.APPLIED]
        assert self.find(store, join).waiting_for == 1

    @EITHER
    def test_a_settlement_made_again_after_a_cut_counts_once(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        join, _ = self._fan(store)
        engine = self._engine(store)
        ending = self.ending(self._claim(store, engine)[0])
        with cut(store, where):
            self.settle(store, engine, ending)
        assert self.settle(store, engine, ending) == [Verdict.APPLIED]
        assert self.find(store, join).waiting_for == 1

    @EITHER
    def test_a_fan_added_again_after_a_cut_is_there_once(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        join, members = self._made()
        with cut(store, where):
            self.add(store, *members, join)
        assert self.add(store, *members, join) == [where == "before"] * 3
        assert self.find(store, join).waiting_for == 2

    def test_members_are_found_by_their_join_in_every_table(self, store: Store) -> None:
        join, members = self._fan(store, 3)
        engine = self._engine(store)
        done, failed, _ = self._claim(store, engine)
        self.settle(store, engine, self.ending(done))
        self.settle(store, engine, self.ending(failed, ended_as=EndedAs.FAILED))
        self.added(store)
        assert self.all_ids(store, join_id=join.id) == {step.id for step in members}

    def test_what_exists_already_cannot_become_a_member(self, store: Store) -> None:
        join, (one, other) = self._made()
        self.add(store, replace(one, join_id=None))
        with pytest.raises(NotAMember):
            self.add(store, one, other, join)
        assert self.all_ids(store) == {one.id}

    def test_a_settlement_with_such_a_member_is_refused_whole(self, store: Store) -> None:
        parent = self.added(store)
        join, (one, other) = self._made()
        self.add(store, replace(one, join_id=None))
        engine = self._engine(store)
        held = {step.id: step for step in self._claim(store, engine)}
        with pytest.raises(NotAMember):
            self.settle(store, engine, self.ending(held[parent.id], one, other, join))
        assert self.find(store, parent).status is StepStatus.READY
        assert self.all_ids(store) == {parent.id, one.id}

    def test_a_join_that_was_there_before_gets_no_new_members(self, store: Store) -> None:
        join, members = self._fan(store, 2)
        late = self.make_step(join_id=join.id)
        with pytest.raises(NotAMember):
            self.add(store, late, replace(join, waiting_for=1))
        assert self.find(store, join) == join
        assert self.all_ids(store) == {join.id, *(one.id for one in members)}

    def test_a_place_is_not_left_to_a_join_that_was_there_before(self, store: Store) -> None:
        outer, (step,) = self._fan(store, 1)
        join, _ = self._fan(store, 2)
        late = self.make_step(join_id=join.id)
        heir = replace(join, waiting_for=1, join_id=outer.id)
        engine = self._engine(store)
        held = {one.id: one for one in self._claim(store, engine)}[step.id]
        for successors in ([late, heir], [heir]):
            with pytest.raises(NotAMember):
                self.settle(store, engine, self.ending(held, *successors, passes_join=True))
        assert self.find(store, step).status is StepStatus.READY
        assert self.find(store, outer).waiting_for == 1

    # -- failures --------------------------------------------------------------

    @BAD_ENDS
    def test_a_join_that_waits_does_not_count_a_failure(self, store: Store, end: EndedAs) -> None:
        join, _ = self._fan(store, 1)
        self._end_all(store, end)
        assert self.find(store, join) == join

    @BAD_ENDS
    def test_a_join_that_goes_on_counts_it(self, store: Store, end: EndedAs) -> None:
        join, _ = self._fan(store, 1, policy=GO_ON)
        self._end_all(store, end)
        assert self.claim_one(store, self._engine(store), "join").id == join.id

    @BAD_ENDS
    def test_a_join_that_fails_does_so_at_once(self, store: Store, end: EndedAs) -> None:
        join, (one, other) = self._fan(store, policy=FAIL)
        with store.transaction() as tx:
            tx.end(one.id, end, "no paper\nat all")
        found = self.find(store, join)
        assert found.ended_as is EndedAs.FAILED
        assert found.description is not None
        assert one.name in found.description
        assert found.description.endswith(": no paper")
        assert self.find(store, other) == other

    def test_what_ends_after_its_join_changes_nothing(self, store: Store) -> None:
        join, _ = self._fan(store, policy=FAIL)
        self._end_all(store, EndedAs.FAILED)
        failed = self.find(store, join)
        self._end_all(store, EndedAs.DONE)
        assert self.find(store, join) == failed

    def test_a_join_ended_by_hand_is_not_counted_down(self, store: Store) -> None:
        join, _ = self._fan(store)
        with store.transaction() as tx:
            tx.end(join.id, EndedAs.CANCELLED, "not needed")
        ended = self.find(store, join)
        self._end_all(store, EndedAs.DONE)
        assert self.find(store, join) == ended

    def test_a_member_completed_by_hand_counts(self, store: Store) -> None:
        join, (member,) = self._fan(store, 1)
        with store.transaction() as tx:
            tx.end(member.id, EndedAs.DONE, "by hand", "7")
        assert self.claim_one(store, self._engine(store), "join").id == join.id

    @pytest.mark.parametrize("in_settlement", [False, True])
    def test_a_member_that_gives_way_to_another_step_has_failed(
        self, store: Store, in_settlement: bool
    ) -> None:
        join = self.make_step("join", waiting_for=1, join_policy=GO_ON)
        member = self.make_step("other", join_id=join.id, unique_key="k")
        self.add(store, member, join)
        successor = Addition(self.make_step("other", unique_key="k"), OnConflict.REPLACE)
        self._add_one(store, successor, in_settlement)
        assert self.find(store, member).ended_as is EndedAs.CANCELLED
        assert self.find(store, join).waiting_for == 0

    @needs("bury")
    def test_a_member_that_has_lost_five_engines_has_failed(self, store: Store) -> None:
        join, _ = self._fan(store, 1, policy=GO_ON)
        for lost in range(5):
            engine = self._engine(store)
            self.claim_one(store, engine, alone=lost >= 2)
            self.bury(store, engine)
        assert self.find(store, join).waiting_for == 0
