"""Joins that are members of others, copies of members, and many engines at once (R28)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

import threading
from functools import partial
from typing import Final

import pytest

from stepwell.outcome import Verdict
from stepwell.step import EndedAs, JoinPolicy
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import (
    PATIENCE,
    ahead,
    needs,
    together,
)
from stepwell.testing.store_contract.joins import FAIL, GO_ON, WAIT, JoinWords

ROUNDS: Final = 20


class JoinsAmongContract(JoinWords):
    """What holds of joins among joins, of copies, and under concurrency."""

    # -- nested ----------------------------------------------------------------

    def test_a_place_that_is_passed_on_is_that_of_its_successor(self, store: Store) -> None:
        join, _ = self._fan(store, 1)
        engine = self._engine(store)
        (step,) = self._claim(store, engine)
        heir = self.make_step("heir", join_id=join.id)
        self.settle(store, engine, self.ending(step, heir, passes_join=True))
        assert self.find(store, step).join_id is None
        assert self.find(store, join).waiting_for == 1
        assert self.all_ids(store, join_id=join.id) == {heir.id}
        other = self.make_engine(store, "heir")
        self.settle(store, other, self.ending(self.claim_one(store, other, "heir")))
        assert self.find(store, join).waiting_for == 0

    def test_a_join_may_be_a_member_of_another(self, store: Store) -> None:
        outer, inner = self._nested(store, WAIT, WAIT)
        engine = self._engine(store)
        self.settle(store, engine, self.ending(*self._claim(store, engine)))
        (claimed,) = self._claim(store, engine)
        assert claimed.id == inner.id
        assert self.find(store, outer).waiting_for == 1
        self.settle(store, engine, self.ending(claimed))
        assert [step.id for step in self._claim(store, engine)] == [outer.id]

    def test_a_failure_rises_as_long_as_joins_fail(self, store: Store) -> None:
        top = self.make_step("join", waiting_for=1, join_policy=GO_ON)
        self.add(store, self.make_step("never", join_id=top.id, schedule_time=ahead()), top)
        outer, inner = self._nested(store, FAIL, FAIL)
        self._end_all(store, EndedAs.FAILED)
        assert self.find(store, inner).ended_as is EndedAs.FAILED
        assert self.find(store, outer).ended_as is EndedAs.FAILED
        assert self.find(store, top) == top

    @pytest.mark.parametrize(("policy", "left"), [(WAIT, 1), (GO_ON, 0)])
    def test_the_failure_of_a_join_is_judged_by_the_one_that_waits_for_it(
        self, store: Store, policy: JoinPolicy, left: int
    ) -> None:
        outer, inner = self._nested(store, policy, FAIL)
        self._end_all(store, EndedAs.FAILED)
        assert self.find(store, inner).ended_as is EndedAs.FAILED
        assert self.find(store, outer).waiting_for == left

    def test_a_join_that_is_ended_by_hand_is_a_member_that_ended(self, store: Store) -> None:
        outer, inner = self._nested(store, FAIL, WAIT)
        with store.transaction() as tx:
            tx.end(inner.id, EndedAs.CANCELLED, "not needed")
        assert self.find(store, outer).ended_as is EndedAs.FAILED

    # -- copies ----------------------------------------------------------------

    def test_a_copy_takes_the_failed_ones_place_once(self, store: Store) -> None:
        join, (member,) = self._fan(store, 1)
        self._end_all(store, EndedAs.FAILED)
        first, second = self._copy(member), self._copy(member)
        assert self.add(store, first, second) == [True, True]
        assert self.all_ids(store, join_id=join.id) == {first.id}
        assert self.find(store, second).join_id is None
        engine = self._engine(store)
        for step in self._claim(store, engine):
            self.settle(store, engine, self.ending(step))
        assert self.find(store, join).waiting_for == 0
        late = self._copy(member)
        self.add(store, late)
        assert self.find(store, late).join_id is None

    def test_a_copy_of_a_copy_that_failed_takes_the_place_again(self, store: Store) -> None:
        join, (member,) = self._fan(store, 1)
        self._end_all(store, EndedAs.FAILED)
        copy = self._copy(member)
        self.add(store, copy)
        self._end_all(store, EndedAs.CANCELLED)
        again = self._copy(copy)
        self.add(store, again)
        assert self.all_ids(store, join_id=join.id) == {again.id}
        self._end_all(store, EndedAs.DONE)
        assert self.find(store, join).waiting_for == 0

    def test_a_copy_of_a_member_that_is_done_is_no_member(self, store: Store) -> None:
        _, (member, _) = self._fan(store)
        with store.transaction() as tx:
            tx.end(member.id, EndedAs.DONE, "by hand")
        copy = self._copy(member)
        self.add(store, copy)
        assert self.find(store, copy).join_id is None

    def test_a_join_that_goes_on_takes_no_copies(self, store: Store) -> None:
        _, (member, _) = self._fan(store, policy=GO_ON)
        with store.transaction() as tx:
            tx.end(member.id, EndedAs.FAILED, "by hand")
        copy = self._copy(member)
        self.add(store, copy)
        assert self.find(store, copy).join_id is None
        assert self.find(store, member).join_id is not None

    def test_two_who_re_execute_at_once_give_one_copy_the_place(
        self, store: Store, other_store: Store
    ) -> None:
        join, (member,) = self._fan(store, 1)
        self._end_all(store, EndedAs.FAILED)
        copies = [self._copy(member), self._copy(member)]
        adds = [
            partial(self.add, place, copy)
            for place, copy in zip([store, other_store], copies, strict=True)
        ]
        assert together(*adds) == [[True], [True]]
        assert len(self.all_ids(store, join_id=join.id)) == 1

    # -- many at once ----------------------------------------------------------

    def test_500_members_end_in_one_batch(self, store: Store) -> None:
        join, _ = self._fan(store, 500)
        engine = self._engine(store)
        held = self._claim(store, engine, limit=500)
        assert len(held) == 500
        self.settle(store, engine, *(self.ending(step) for step in held))
        assert [step.id for step in self._claim(store, engine)] == [join.id]

    def test_engines_that_end_its_members_at_once_make_it_due_once(
        self, store: Store, other_store: Store
    ) -> None:
        for _ in range(ROUNDS):
            join, _ = self._fan(store)
            one, other = self._engine(store), self._engine(other_store)
            (first,) = self._claim(store, one, limit=1)
            (second,) = self._claim(other_store, other, limit=1)
            answers = together(
                self._settling(store, one, self.ending(first)),
                self._settling(other_store, other, self.ending(second)),
            )
            assert answers == [[Verdict.APPLIED]] * 2
            assert self.find(store, join).waiting_for == 0
            (claimed,) = self._claim(store, one)
            assert claimed.id == join.id
            self.settle(store, one, self.ending(claimed))

    def test_batches_over_the_same_joins_in_any_order_do_not_wait_for_each_other(
        self, store: Store, other_store: Store
    ) -> None:
        """Members of nested joins are among them, whose failures rise. Somebody holds one of the
        rows for a moment, so that the batches meet while they have some and want others."""
        for _ in range(3):
            outers = [self._nested(store, FAIL, FAIL, members=2) for _ in range(30)]
            self.add(store, *(self.make_step(join_id=outer.id) for outer, _ in outers))
            one, other = self._engine(store), self._engine(other_store)
            mine, theirs = self._shared_out(store, one, other_store, other)
            bad = [self.ending(step, ended_as=EndedAs.FAILED) for step in mine]
            good = [self.ending(step) for step in reversed(theirs)]
            held = threading.Event()
            answers = together(
                partial(self._hold, store, outers[15][1], held),
                self._settling(store, one, *bad, after=held),
                self._settling(other_store, other, *good, after=held),
            )
            expected = [Verdict.APPLIED]
            assert answers == [None, expected * len(bad), expected * len(good)]
            self._end_all(store, EndedAs.DONE, "work", "join")

    @needs("wake")
    def test_a_join_that_becomes_due_wakes(self, store: Store, other_store: Store) -> None:
        join, _ = self._fan(store, 1)
        engine = self._engine(store)
        held = self._claim(store, engine)
        wake = other_store.wake()
        while wake.wait(0.3):
            pass
        self.settle(store, engine, *(self.ending(step) for step in held))
        assert wake.wait(PATIENCE)
        wake.close()
        assert self.find(store, join).waiting_for == 0
