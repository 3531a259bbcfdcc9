"""Changing ready steps by hand: activate, end, re-schedule (R6, R8)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import EndedAs, Step, StepStatus
from stepwell.stores.protocol import Store, Transaction
from stepwell.testing.store_contract.base import ContractBase, ahead

CHANGES: list[Callable[[Transaction, UUID], bool]] = [
    lambda tx, step_id: tx.activate(step_id, "1", None),
    lambda tx, step_id: tx.end(step_id, EndedAs.DONE, "by hand"),
    lambda tx, step_id: tx.reschedule(step_id, now()),
]


class ChangingContract(ContractBase):
    """What holds of changes by hand."""

    @pytest.mark.parametrize("change", CHANGES, ids=["activate", "end", "reschedule"])
    def test_only_ready_steps_can_be_changed(
        self, store: Store, change: Callable[[Transaction, UUID], bool]
    ) -> None:
        step = self.added(store)
        with store.transaction() as tx:
            tx.end(step.id, EndedAs.FAILED, "over")
        ended = self.find(store, step)
        with store.transaction() as tx:
            assert not change(tx, step.id)
            assert not change(tx, new_id())
        assert self.find(store, step) == ended

    def test_an_activated_step_is_due_now_with_its_arguments(self, store: Store) -> None:
        step = self.added(store, schedule_time=ahead())
        assert self.activate(store, step, '{"go":1}')
        claimed = self.claim_one(store, self.make_engine(store))
        assert (claimed.activation_args, claimed.activation_no) == ('{"go":1}', 1)

    def test_an_activation_may_be_for_later(self, store: Store) -> None:
        step, due = self.added(store), ahead()
        assert self.activate(store, step, "1", due)
        row = self.find(store, step)
        assert row == replace(step, activation_args="1", activation_no=1, schedule_time=due)

    def test_each_activation_has_a_number_and_the_last_arguments_count(self, store: Store) -> None:
        step = self.added(store)
        for args in ("1", "2", None):
            assert self.activate(store, step, args)
        row = self.find(store, step)
        assert (row.activation_args, row.activation_no) == (None, 3)

    def test_an_activation_leaves_a_claim_alone(self, store: Store) -> None:
        step = self.added(store)
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        assert self.activate(store, step, "1")
        assert self.find(store, step).claim == claimed.claim
        assert self.settle(store, engine, self.ending(claimed)) == [Verdict.APPLIED]

    @pytest.mark.parametrize("ended_as", EndedAs)
    def test_a_ready_step_can_be_ended_by_hand(self, store: Store, ended_as: EndedAs) -> None:
        step = self.added(store)
        with store.transaction() as tx:
            assert tx.end(step.id, ended_as, "the customer called", '{"n":1}')
        row = self.find(store, step)
        assert row.ended_at is not None
        assert row == replace(
            step,
            ended_as=ended_as,
            ended_at=row.ended_at,
            description="the customer called",
            result='{"n":1}',
            claim_no=row.claim_no,
        )
        assert row.claim_no > step.claim_no
        assert row.status is ended_as.status

    def test_ending_needs_no_result(self, store: Store) -> None:
        step = self.added(store)
        with store.transaction() as tx:
            assert tx.end(step.id, EndedAs.CANCELLED, "no more")
        assert self.find(store, step).result is None

    def test_a_step_ended_by_hand_while_it_runs_cannot_settle(self, store: Store) -> None:
        step = self.added(store, unique_key="k")
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        with store.transaction() as tx:
            assert tx.end(step.id, EndedAs.CANCELLED, "no more")
            assert tx.claimed(engine) == []
        for settlement in (self.ending(claimed), self.rerunning(claimed)):
            assert self.settle(store, engine, settlement) == [Verdict.REFUSED]
        row = self.find(store, step)
        assert (row.ended_as, row.execution_count) == (EndedAs.CANCELLED, 0)
        assert row.claim_no > claimed.claim_no

    def test_a_step_ended_by_hand_frees_its_key(self, store: Store) -> None:
        step = self.added(store, unique_key="k")
        with store.transaction() as tx:
            tx.end(step.id, EndedAs.DONE, "by hand")
        self.added(store, unique_key="k")

    def test_a_rescheduled_step_waits_for_its_new_time(self, store: Store) -> None:
        step, due = self.added(store), ahead()
        assert self._reschedule(store, step, due)
        assert self.find(store, step) == replace(step, schedule_time=due)
        claimed = self.claim(store, self.make_engine(store))
        assert (claimed.steps, claimed.next_due) == ((), due)

    def test_a_rescheduled_step_may_be_due_at_once(self, store: Store) -> None:
        step = self.added(store, schedule_time=ahead())
        assert self._reschedule(store, step, now())
        assert self.claim_one(store, self.make_engine(store)).id == step.id

    def test_rescheduling_takes_a_claim_away(self, store: Store) -> None:
        step = self.added(store)
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        assert self._reschedule(store, step, ahead())
        row = self.find(store, step)
        assert (row.claimed_by, row.claim_request, row.started) == (None, None, False)
        assert row.claim_no > claimed.claim_no
        assert self.settle(store, engine, self.ending(claimed)) == [Verdict.REFUSED]
        assert self.find(store, step).status is StepStatus.READY

    def test_rescheduling_does_not_hide_that_a_settlement_was_applied(self, store: Store) -> None:
        step = self.added(store)
        engine = self.make_engine(store)
        settlement = self.rerunning(self.claim_one(store, engine))
        self.settle(store, engine, settlement)
        self._reschedule(store, step, ahead())
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]

    def _reschedule(self, store: Store, step: Step, at: datetime) -> bool:
        with store.transaction() as tx:
            return tx.reschedule(step.id, at)
