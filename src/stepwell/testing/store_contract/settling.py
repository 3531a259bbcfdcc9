"""Settlements: what becomes of the row, of its additions, and of a batch (R2, R5, R8, R12, R13)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.errors import SettlementRejected, StepwellError, UniqueKeyTaken
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import Addition, EndedAs, OnConflict, Step, StepStatus
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import ContractBase, ago, ahead, needs


class SettlingContract(ContractBase):
    """What holds of settlements."""

    @pytest.mark.parametrize("ended_as", EndedAs)
    def test_an_ended_row_says_how_it_ended(self, store: Store, ended_as: EndedAs) -> None:
        engine, step = self._held(store)
        settlement = self.ending(
            step, ended_as=ended_as, description="why", result='{"n":1}', failure_count=3
        )
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]
        row = self.find(store, step)
        assert row.ended_at is not None
        assert abs((row.ended_at - now()).total_seconds()) < 60
        assert row == replace(
            step,
            ended_as=ended_as,
            ended_at=row.ended_at,
            description="why",
            result='{"n":1}',
            failure_count=3,
            execution_count=1,
            execution_started_at=settlement.execution_started_at,
            execution_duration=0.25,
            executed_by="contract",
            claim_request=None,
            claimed_at=None,
        )
        assert row.status is ended_as.status

    def test_a_rerun_stays_ready_under_its_number(self, store: Store) -> None:
        engine, step = self._held(store)
        due = ahead()
        settlement = self.rerunning(
            step, description="later", schedule_time=due, failure_count=2, result="no"
        )
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]
        assert self.find(store, step) == replace(
            step,
            claimed_by=None,
            claim_request=None,
            claimed_at=None,
            schedule_time=due,
            description="later",
            failure_count=2,
            execution_count=1,
            execution_started_at=settlement.execution_started_at,
            execution_duration=0.25,
            executed_by="contract",
        )

    def test_a_settled_row_has_no_started_mark(self, store: Store) -> None:
        self.add(store, self.make_step(), self.make_step())
        engine = self.make_engine(store)
        one, other = self.claim(store, engine).steps
        with store.transaction() as tx:
            tx.beat(engine, [one.claim, other.claim])
        self.settle(store, engine, self.rerunning(one), self.ending(other))
        assert [self.find(store, step).started for step in (one, other)] == [False, False]

    def test_a_rerun_without_a_time_is_due_now(self, store: Store) -> None:
        engine, step = self._held(store)
        self.settle(store, engine, self.rerunning(step))
        again = self.claim_one(store, engine)
        assert again.schedule_time > step.schedule_time
        assert (again.claim_no, again.execution_count) == (step.claim_no + 1, 1)

    def test_a_rerun_keeps_its_state_unless_it_gives_another(self, store: Store) -> None:
        engine, step = self._held(store, state='{"page":1}')
        self.settle(store, engine, self.rerunning(step, state="ignored"))
        assert self.find(store, step).state == '{"page":1}'
        step = self.claim_one(store, engine)
        new = {"keep_state": False, "state": '{"page":2}', "state_format": "other"}
        self.settle(store, engine, self.rerunning(step, **new))
        row = self.find(store, step)
        assert (row.state, row.state_format) == ('{"page":2}', "other")

    def test_every_execution_is_counted(self, store: Store) -> None:
        engine, step = self._held(store)
        for _ in range(3):
            self.settle(store, engine, self.rerunning(step))
            step = self.claim_one(store, engine)
        self.settle(store, engine, self.ending(step))
        assert self.find(store, step).execution_count == 4

    def test_a_rerun_clears_the_arguments_that_it_has_seen(self, store: Store) -> None:
        step = self.added(store)
        self.activate(store, step, "1")
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        assert (claimed.activation_args, claimed.activation_no) == ("1", 1)
        self.settle(store, engine, self.rerunning(claimed))
        row = self.find(store, step)
        assert (row.activation_args, row.activation_no, row.activation_seen) == (None, 1, 1)

    def test_a_retry_keeps_the_arguments(self, store: Store) -> None:
        step = self.added(store)
        self.activate(store, step, "1")
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        due = ahead()
        retry = self.rerunning(claimed, keep_activation=True, schedule_time=due)
        self.settle(store, engine, retry)
        row = self.find(store, step)
        assert (row.activation_args, row.schedule_time) == ("1", due)

    def test_a_rerun_that_has_not_seen_an_activation_is_due_with_it(self, store: Store) -> None:
        engine, step = self._held(store)
        self.activate(store, step, "new")
        self.settle(store, engine, self.rerunning(step, schedule_time=ahead()))
        again = self.claim_one(store, engine)
        assert (again.activation_args, again.activation_no, again.activation_seen) == ("new", 1, 0)

    def test_an_unseen_activation_keeps_its_own_time(self, store: Store) -> None:
        engine, step = self._held(store)
        due = ahead(1800)
        with store.transaction() as tx:
            assert tx.activate(step.id, "new", due)
        self.settle(store, engine, self.rerunning(step))
        assert self.find(store, step).schedule_time == due

    def test_done_shows_that_an_activation_was_not_seen(self, store: Store) -> None:
        engine, step = self._held(store)
        self.activate(store, step, "late")
        assert self.settle(store, engine, self.ending(step)) == [Verdict.APPLIED]
        row = self.find(store, step)
        assert (row.activation_no, row.activation_seen) == (1, 0)
        assert row.activation_args == "late"

    def test_another_engines_claim_cannot_be_settled(self, store: Store) -> None:
        _, step = self._held(store)
        thief = self.make_engine(store)
        extra = self.make_step("extra")
        assert self.settle(store, thief, self.ending(step, extra)) == [Verdict.REFUSED]
        assert self.find(store, step) == step
        assert extra.id not in self.all_ids(store)

    def test_what_is_refused_in_a_batch_leaves_the_rest_applied(self, store: Store) -> None:
        self.add(store, self.make_step(), self.make_step())
        engine = self.make_engine(store)
        stale, good = self.claim(store, engine).steps
        self.release(store, engine, stale.claim)
        lost, kept = self.make_step("lost"), self.make_step("kept")
        verdicts = self.settle(store, engine, self.ending(stale, lost), self.ending(good, kept))
        assert verdicts == [Verdict.REFUSED, Verdict.APPLIED]
        assert self.find(store, stale).status is StepStatus.READY
        assert self.find(store, good).status is StepStatus.DONE
        assert self.all_ids(store) & {lost.id, kept.id} == {kept.id}

    @pytest.mark.parametrize("ended_as", [EndedAs.DONE, EndedAs.FAILED])
    def test_each_of_a_batch_keeps_its_own_outcome_in_whatever_order_they_come(
        self, store: Store, ended_as: EndedAs
    ) -> None:
        steps = [self.added(store) for _ in range(9)]
        engine = self.make_engine(store)
        held = {step.id: step for step in self.claim(store, engine).steps}
        mixed = [held[steps[place * 5 % 9].id] for place in range(9)]
        batch = [
            self.ending(step, ended_as=ended_as, result=f"{place}", execution_duration=float(place))
            for place, step in enumerate(mixed)
        ]
        self.release(store, engine, mixed[3].claim)
        verdicts = self.settle(store, engine, *batch)
        assert [place for place in range(9) if verdicts[place] is not Verdict.APPLIED] == [3]
        rows = [self.find(store, step) for step in mixed]
        assert rows.pop(3).status is StepStatus.READY
        kept = [(row.result, row.execution_duration) for row in rows]
        assert kept == [(f"{place}", float(place)) for place in range(9) if place != 3]

    @pytest.mark.parametrize("refused", ["\ud800", "a\x00b", "k" * 100_000])
    def test_a_settlement_whose_addition_is_refused_is_not_there_by_half(
        self, store: Store, refused: str
    ) -> None:
        """R16: not even where the transaction is committed all the same. Which of these texts
        it can keep is the store's own affair."""
        engine, step = self._held(store)
        next_one = self.make_step("next", search_key=refused)
        with suppress(StepwellError), store.transaction() as tx, suppress(StepwellError):
            tx.settle(engine, [self.ending(step, next_one)])
        settled = self.find(store, step).status is StepStatus.DONE
        assert (next_one.id in self.all_ids(store)) is settled

    def test_settling_an_ended_step_again_counts_as_applied(self, store: Store) -> None:
        engine, step = self._held(store)
        settlement = self.ending(step, self.make_step("next"))
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]
        ended, ids = self.find(store, step), self.all_ids(store)
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]
        assert self.find(store, step) == ended
        assert self.all_ids(store) == ids

    def test_settling_a_failed_step_again_counts_as_applied(self, store: Store) -> None:
        engine, step = self._held(store)
        settlement = self.ending(step, ended_as=EndedAs.FAILED)
        self.settle(store, engine, settlement)
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]
        assert self.find(store, step).execution_count == 1

    def test_settling_a_rerun_again_counts_as_applied(self, store: Store) -> None:
        engine, step = self._held(store)
        settlement = self.rerunning(step)
        self.settle(store, engine, settlement)
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]
        assert self.find(store, step).execution_count == 1

    def test_an_ended_step_is_not_applied_for_another_engine(self, store: Store) -> None:
        engine, step = self._held(store)
        self.settle(store, engine, self.ending(step))
        other = self.make_engine(store)
        assert self.settle(store, other, self.ending(step)) == [Verdict.REFUSED]

    def test_a_rerun_that_others_have_claimed_is_refused(self, store: Store) -> None:
        engine, step = self._held(store)
        settlement = self.rerunning(step)
        self.settle(store, engine, settlement)
        other = self.make_engine(store)
        held = self.claim_one(store, other)
        assert self.settle(store, engine, settlement) == [Verdict.REFUSED]
        assert self.find(store, step) == held

    def test_an_unknown_step_is_refused(self, store: Store) -> None:
        engine, step = self._held(store)
        stranger = self.ending(replace(step, id=new_id()))
        assert self.settle(store, engine, stranger) == [Verdict.REFUSED]

    def test_an_empty_batch_is_nothing(self, store: Store) -> None:
        assert self.settle(store, self.make_engine(store)) == []

    def test_spawned_steps_are_added_with_the_settlement(self, store: Store) -> None:
        engine, step = self._held(store)
        one = self.make_step(created_by_step_id=step.id)
        other = self.make_step("other", schedule_time=ahead())
        self.settle(store, engine, self.ending(step, one, other))
        assert [self.find(store, new) for new in (one, other)] == [one, other]
        assert self.claim_one(store, engine).id == one.id

    def test_a_rerun_and_a_failure_spawn_steps_too(self, store: Store) -> None:
        self.add(store, self.make_step(), self.make_step())
        engine = self.make_engine(store)
        first, second = self.claim(store, engine).steps
        one, other = self.make_step("one"), self.make_step("other")
        failure = self.ending(second, other, ended_as=EndedAs.FAILED)
        self.settle(store, engine, self.rerunning(first, one), failure)
        assert {one.id, other.id} <= self.all_ids(store)

    def test_a_singleton_spawns_its_successor(self, store: Store) -> None:
        engine, step = self._held(store, unique_key="")
        successor = self.make_step(unique_key="")
        assert self.settle(store, engine, self.ending(step, successor)) == [Verdict.APPLIED]
        assert self.find(store, step).status is StepStatus.DONE
        assert self.find(store, successor).status is StepStatus.READY

    def test_deletes_come_before_inserts_across_a_batch(self, store: Store) -> None:
        keys = ("a", "b")
        self.add(store, *[self.make_step(unique_key=key) for key in keys])
        engine = self.make_engine(store)
        one, other = self.claim(store, engine).steps
        swapped = [
            self.ending(one, self.make_step(unique_key=other.unique_key)),
            self.ending(other, self.make_step(unique_key=one.unique_key)),
        ]
        assert self.settle(store, engine, *swapped) == [Verdict.APPLIED] * 2
        again = self.claim(store, engine).steps
        assert sorted(str(step.unique_key) for step in again) == ["a", "b"]

    def test_a_rerun_keeps_its_unique_key(self, store: Store) -> None:
        engine, step = self._held(store, unique_key="k")
        twin = self.make_step(unique_key="k")
        with pytest.raises(UniqueKeyTaken):
            self.settle(store, engine, self.rerunning(step, twin))
        assert self.find(store, step) == step

    def test_a_batch_is_all_or_nothing(self, store: Store) -> None:
        self.added(store, unique_key="taken", schedule_time=ahead())
        self.add(store, self.make_step(), self.make_step())
        engine = self.make_engine(store)
        good, bad = self.claim(store, engine).steps
        spawned, clash = self.make_step("spawned"), self.make_step(unique_key="taken")
        batch = [self.ending(good, spawned), self.ending(bad, clash)]
        with pytest.raises(UniqueKeyTaken):
            self.settle(store, engine, *batch)
        assert [self.find(store, step) for step in (good, bad)] == [good, bad]
        assert spawned.id not in self.all_ids(store)
        assert self.settle(store, engine, batch[0]) == [Verdict.APPLIED]

    def test_a_spawned_step_may_give_way_to_one_that_exists(self, store: Store) -> None:
        existing = self.added(store, unique_key="k", schedule_time=ahead())
        engine, step = self._held(store)
        new = self.make_step(unique_key="k")
        verdicts = self.settle(store, engine, self.ending(step, Addition(new, OnConflict.IGNORE)))
        assert verdicts == [Verdict.APPLIED]
        assert new.id not in self.all_ids(store)
        assert self.find(store, existing) == existing

    def test_a_spawned_step_may_replace_one_that_exists(self, store: Store) -> None:
        existing = self.added(store, unique_key="k", schedule_time=ahead())
        engine, step = self._held(store)
        new = self.make_step(unique_key="k")
        self.settle(store, engine, self.ending(step, Addition(new, OnConflict.REPLACE)))
        assert self.find(store, existing).ended_as is EndedAs.CANCELLED
        assert self.find(store, new) == new

    @needs("transactions")
    def test_a_spawned_row_that_comes_claimed_must_be_a_new_one(self, store: Store) -> None:
        """R1, R21: its engine is about to run it, and the same id is the same step."""
        self.added(store)
        engine = self.make_engine(store)
        step, known = self.claim_one(store, engine), self.added(store, schedule_time=ahead())
        claimed: dict[str, Any] = {"claimed_by": engine, "claim_no": 1, "claim_request": new_id()}
        again, fresh = replace(known, **claimed), self.make_step(**claimed, claimed_at=ago(0))
        with pytest.raises(SettlementRejected):
            self.settle(store, engine, self.ending(step, fresh, again))
        assert (self.find(store, known), self.all_ids(store)) == (known, {step.id, known.id})
        assert self.settle(store, engine, self.ending(step, fresh)) == [Verdict.APPLIED]
        assert self.find(store, fresh).claim == fresh.claim

    def test_a_large_batch_settles_whole(self, store: Store) -> None:
        self.add(store, *[self.make_step() for _ in range(100)])
        engine = self.make_engine(store)
        steps = self.claim(store, engine).steps
        batch = [
            self.ending(step, self.make_step("next"))
            if place % 2
            else self.rerunning(step, schedule_time=ahead())
            for place, step in enumerate(steps)
        ]
        assert self.settle(store, engine, *batch) == [Verdict.APPLIED] * 100
        assert len(self.all_ids(store, status=StepStatus.DONE)) == 50
        assert len(self.all_ids(store, name=self.name("next"))) == 50

    def _held(self, store: Store, **fields: Any) -> tuple[UUID, Step]:
        """An engine, and the one step that it holds."""
        step = self.make_step(**{"schedule_time": ago(90)} | fields)
        self.add(store, step)
        engine = self.make_engine(store)
        return engine, self.claim_one(store, engine)
