"""Rows that are kept apart from the claims of all: foreign names and suspects (R15, R19)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from typing import Any

import pytest

from stepwell.ids import new_id
from stepwell.step import Step
from stepwell.stores.protocol import Claimed, Store
from stepwell.testing.store_contract.base import ContractBase, ago, ahead, needs


class ApartContract(ContractBase):
    """What holds of parked rows and of suspects."""

    def test_a_foreign_name_is_left_for_an_engine_that_handles_it(self, store: Store) -> None:
        step = self.added(store, "foreign")
        mine, theirs = self.make_engine(store), self.make_engine(store, "foreign")
        assert self.claim_all(store, mine) == []
        assert self.find(store, step).parked
        claimed = self.claim_one(store, theirs, "foreign")
        assert (claimed.id, claimed.claim_no, claimed.parked) == (step.id, 1, False)

    def test_nobody_spins_on_a_foreign_name(self, store: Store) -> None:
        self.added(store, "foreign")
        engine = self.make_engine(store)
        self.claim_all(store, engine)
        assert self.claim(store, engine) == Claimed()

    def test_parking_does_not_touch_what_a_row_says_otherwise(self, store: Store) -> None:
        step = self.added(store, "foreign")
        self.claim_all(store, self.make_engine(store))
        parked = self.find(store, step)
        assert (parked.claim_no, parked.claimed_by) == (0, None)
        assert parked.schedule_time == step.schedule_time

    def test_a_flood_of_foreign_rows_starves_nobody(self, store: Store) -> None:
        foreign = [self.make_step("foreign", schedule_time=ago(600)) for _ in range(300)]
        self.add(store, *foreign)
        mine = self.added(store)
        engine = self.make_engine(store)
        assert [step.id for step in self.claim_all(store, engine, limit=10)] == [mine.id]
        theirs = self.make_engine(store, "foreign")
        assert len(self.claim_all(store, theirs, "foreign", limit=50)) == 300

    @pytest.mark.parametrize("count", [1, 10, 300])
    def test_who_need_not_park_gets_its_own_and_parks_where_none_are_left(
        self, store: Store, count: int
    ) -> None:
        """As an engine asks when it looks for the first time."""
        foreign = [self.make_step("foreign", schedule_time=ago(600)) for _ in range(count)]
        self.add(store, *foreign)
        mine = [self.added(store) for _ in range(3)]
        engine = self.make_engine(store)
        claimed = self.claim_all(store, engine, limit=10, parks=False)
        assert [step.id for step in claimed] == [step.id for step in mine]
        assert self.claim_all(store, engine, limit=10, parks=False) == []
        assert all(self.find(store, step).parked for step in foreign[:: count // 3 or 1])

    def test_an_engine_of_both_names_takes_parked_and_other_rows(self, store: Store) -> None:
        parked = self.added(store, "foreign")
        self.claim_all(store, self.make_engine(store))
        plain = self.added(store)
        both = self.make_engine(store, "foreign", "work")
        claimed = self.claim_all(store, both, "foreign", "work")
        assert {step.id for step in claimed} == {parked.id, plain.id}

    def test_a_parked_row_that_runs_again_is_met_by_all_once_more(self, store: Store) -> None:
        step = self.added(store, "foreign")
        self.claim_all(store, self.make_engine(store))
        theirs = self.make_engine(store, "foreign")
        claimed = self.claim_one(store, theirs, "foreign")
        self.settle(store, theirs, self.rerunning(claimed))
        assert not self.find(store, step).parked
        assert self.claim_one(store, theirs, "foreign").id == step.id

    def test_a_foreign_row_in_the_future_is_not_parked(self, store: Store) -> None:
        step = self.added(store, "foreign", schedule_time=ahead())
        self.claim_all(store, self.make_engine(store))
        assert not self.find(store, step).parked

    def test_a_parked_row_put_off_is_due_again_at_its_time(self, store: Store) -> None:
        step, due = self.added(store, "foreign"), ahead()
        self.claim_all(store, self.make_engine(store))
        with store.transaction() as tx:
            assert tx.reschedule(step.id, due)
        theirs = self.make_engine(store, "foreign")
        assert self.claim(store, theirs, "foreign") == Claimed((), next_due=due)
        other = self.added(store, "foreign")
        claimed = self.claim(store, theirs, "foreign")
        assert [step.id for step in claimed.steps] == [other.id]

    @needs("many flows")
    def test_parked_rows_of_other_queues_are_not_claimed(self, store: Store) -> None:
        self.added(store, "foreign", queue="mail")
        self.claim_all(store, self.make_engine(store), queues=("mail",))
        theirs = self.make_engine(store, "foreign")
        assert self.claim(store, theirs, "foreign") == Claimed()
        here = self.added(store, "foreign")
        assert self.claim_one(store, theirs, "foreign").id == here.id
        assert len(self.claim(store, theirs, "foreign", queues=("mail",)).steps) == 1

    @needs("bury")
    def test_a_suspect_is_not_claimed_with_others(self, store: Store) -> None:
        suspect = self._suspect(store)
        plain = self.added(store)
        claimed = self.claim(store, self.make_engine(store))
        assert [step.id for step in claimed.steps] == [plain.id]
        assert claimed.suspect_due
        assert claimed.next_due is None
        assert self.find(store, suspect).claimed_by is None

    @needs("bury")
    def test_a_claim_alone_takes_one_suspect_and_nothing_else(self, store: Store) -> None:
        first, second = self._suspect(store), self._suspect(store)
        self.added(store)
        engine = self.make_engine(store)
        claimed = self.claim(store, engine, alone=True)
        assert [step.id for step in claimed.steps] == [first.id]
        assert claimed.suspect_due
        assert self.claim_one(store, engine, alone=True).id == second.id
        assert not self.claim(store, engine, alone=True).suspect_due

    @needs("bury")
    def test_a_claim_alone_takes_no_ordinary_row(self, store: Store) -> None:
        self.added(store)
        claimed = self.claim(store, self.make_engine(store), alone=True)
        assert claimed.steps == ()
        assert not claimed.suspect_due
        assert claimed.next_due is not None

    @needs("bury")
    def test_a_suspect_of_a_foreign_name_is_nothing_to_claim(self, store: Store) -> None:
        self._suspect(store)
        other = self.make_engine(store, "other")
        assert self.claim(store, other, "other") == Claimed()
        assert self.claim(store, other, "other", alone=True) == Claimed()
        mine = self._suspect(store, "other")
        assert self.claim_one(store, other, "other", alone=True).id == mine.id
        assert self.claim(store, other, "other", alone=True) == Claimed()

    @needs("bury", "many flows")
    def test_a_suspect_is_not_claimed_with_its_flow(self, store: Store) -> None:
        suspect = self._suspect(store)
        plain = self.added(store, flow_id=suspect.flow_id)
        engine = self.make_engine(store)
        claimed = self.claim(store, engine, flow_id=suspect.flow_id)
        assert [step.id for step in claimed.steps] == [plain.id]
        assert claimed.suspect_due
        alone = self.claim_one(store, engine, flow_id=suspect.flow_id, alone=True)
        assert alone.id == suspect.id

    @needs("bury", "many flows")
    def test_suspects_of_other_queues_and_flows_are_not_claimed(self, store: Store) -> None:
        suspect = self._suspect(store)
        engine = self.make_engine(store)
        elsewhere = {"queues": ("mail",)}, {"flow_id": new_id()}
        for place in elsewhere:
            assert self.claim(store, engine, alone=True, **place) == Claimed()
        mail = self._suspect(store, queue="mail")
        assert self.claim_one(store, engine, alone=True, queues=("mail",)).id == mail.id
        assert self.claim_one(store, engine, alone=True).id == suspect.id

    @needs("bury")
    def test_a_suspect_in_the_future_is_announced(self, store: Store) -> None:
        suspect, due = self._suspect(store), ahead()
        with store.transaction() as tx:
            tx.reschedule(suspect.id, due)
        engine = self.make_engine(store)
        assert self.claim(store, engine, alone=True) == Claimed((), next_due=due)
        assert self.claim(store, engine) == Claimed((), next_due=due)

    def _suspect(self, store: Store, label: str = "work", **fields: Any) -> Step:
        """A step that has lost two engines."""
        step = self.added(store, label, **fields)
        for _ in range(2):
            engine = self.make_engine(store, label)
            held = self.claim(store, engine, label, queues=(step.queue,)).steps
            assert [one.id for one in held] == [step.id]
            self.bury(store, engine)
        return self.find(store, step)
