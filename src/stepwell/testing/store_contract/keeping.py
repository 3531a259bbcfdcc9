"""Retention: what was kept for long enough goes, and nothing else (R23, R28)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.retention import Expiry, Retention
from stepwell.step import EndedAs, Step, StepStatus
from stepwell.stores.protocol import Store, Swept
from stepwell.testing.store_contract.base import ContractBase, ago, needs, together

AT_ONCE: Final = timedelta(days=400)
"""So far ahead that whatever has ended may go, whole partitions of it."""
_CALLS: Final = 200


class KeepingContract(ContractBase):
    """What holds of sweeping. A scoped store removes nothing."""

    @needs("many flows")
    @pytest.mark.parametrize("status", [StepStatus.DONE, StepStatus.FAILED])
    def test_ended_steps_go_when_their_time_is_over(self, store: Store, status: StepStatus) -> None:
        done, failed = self._ended(store), self._ended(store, ended_as=EndedAs.CANCELLED)
        ready = self.added(store)
        self._sweep(store, status)
        kept = failed if status is StepStatus.DONE else done
        assert self.all_ids(store) == {ready.id, kept.id}

    @needs("many flows")
    @pytest.mark.parametrize("retention", Retention)
    def test_each_class_has_a_time_of_its_own(self, store: Store, retention: Retention) -> None:
        steps = {one: self._ended(store, retention=one) for one in Retention}
        self._sweep(store, StepStatus.DONE, retention)
        assert self.all_ids(store) == {step.id for one, step in steps.items() if one != retention}

    @needs("many flows")
    def test_a_step_that_ended_later_stays(self, store: Store) -> None:
        step = self._ended(store)
        self._sweep(store, StepStatus.DONE, before=ago(60))
        assert self.all_ids(store) == {step.id}

    @needs("many flows")
    def test_without_expiries_nothing_goes(self, store: Store) -> None:
        step = self._ended(store)
        for _ in range(_CALLS):
            with store.transaction() as tx:
                if not tx.sweep([], 100).more:
                    break
        assert self.all_ids(store) == {step.id}

    @needs("many flows")
    def test_what_an_open_join_waits_for_stays_until_the_join_has_ended(self, store: Store) -> None:
        join = self.added(store, "join")
        members = [self._ended(store, join_id=join.id, ended_as=one) for one in EndedAs]
        other = self._ended(store)
        for status in (StepStatus.DONE, StepStatus.FAILED):
            self._sweep(store, status)
        assert self.all_ids(store) == {join.id, *(step.id for step in members)}
        assert self.find(store, members[0]).join_id == join.id
        assert other.id not in self.all_ids(store)
        with store.transaction() as tx:
            tx.end(join.id, EndedAs.FAILED, "by hand")
        for status in (StepStatus.DONE, StepStatus.FAILED):
            self._sweep(store, status)
        assert self.all_ids(store) == set()

    @needs("many flows")
    def test_rows_go_a_few_at_a_time(self, store: Store) -> None:
        for _ in range(5):
            self._ended(store)
        calls = self._sweep(store, StepStatus.DONE, limit=2)
        assert [one for one in calls if one.removed > 2] == []
        assert not calls[-1].more
        assert self.all_ids(store) == set()

    @needs("many flows", "transactions")
    def test_what_is_rolled_back_was_not_removed(self, store: Store) -> None:
        step = self._ended(store)

        def sweep_in_vain() -> None:
            with store.transaction() as tx:
                while tx.sweep([self._expiry(StepStatus.DONE)], 100).more:
                    pass
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            sweep_in_vain()
        assert self.all_ids(store) == {step.id}

    @needs("many flows")
    def test_two_may_sweep_at_once(self, store: Store, other_store: Store) -> None:
        for _ in range(5):
            self._ended(store)
        answers = together(
            lambda: self._sweep(store, StepStatus.DONE, limit=1),
            lambda: self._sweep(other_store, StepStatus.DONE, limit=1),
        )
        assert [one for one in answers if isinstance(one, Exception)] == []
        self._sweep(store, StepStatus.DONE)
        assert self.all_ids(store) == set()

    @needs("many flows")
    def test_steps_end_where_all_was_swept(self, store: Store) -> None:
        self._ended(store)
        self._sweep(store, StepStatus.DONE)
        step = self._ended(store)
        assert self.all_ids(store, status=StepStatus.DONE) == {step.id}
        self._sweep(store, StepStatus.DONE)
        assert self.all_ids(store) == set()

    def _ended(
        self,
        store: Store,
        *,
        ended_as: EndedAs = EndedAs.DONE,
        retention: Retention = Retention.STANDARD,
        join_id: UUID | None = None,
    ) -> Step:
        step = self.added(store, retention=retention, join_id=join_id)
        with store.transaction() as tx:
            assert tx.end(step.id, ended_as, "over")
        return step

    def _expiry(
        self,
        status: StepStatus,
        retention: Retention = Retention.STANDARD,
        before: datetime | None = None,
    ) -> Expiry:
        return Expiry(status, retention, before or now() + AT_ONCE)

    def _sweep(
        self,
        store: Store,
        status: StepStatus,
        retention: Retention = Retention.STANDARD,
        before: datetime | None = None,
        limit: int = 100,
    ) -> list[Swept]:
        """Call until there is no more to do."""
        calls: list[Swept] = []
        expiry = self._expiry(status, retention, before)
        while len(calls) < _CALLS:
            with store.transaction() as tx:
                calls.append(tx.sweep([expiry], limit))
            if not calls[-1].more:
                return calls
        raise AssertionError("the store says for ever that there is more to remove")
