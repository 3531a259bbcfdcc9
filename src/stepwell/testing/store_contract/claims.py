"""Claims: which rows, in which order, and how they are given back (R12, R13, R17, R18)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from stepwell.clock import now
from stepwell.errors import EngineBuried
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import Priority
from stepwell.stores.protocol import Claimed, Position, Store
from stepwell.testing.store_contract.base import ContractBase, ago, ahead, needs, together


class ClaimsContract(ContractBase):
    """What holds of claims."""

    def test_a_claim_marks_the_row_and_nothing_else(self, store: Store) -> None:
        before = self.added(store)
        engine = self.make_engine(store)
        request = self.request(engine)
        with store.transaction() as tx:
            (step,) = tx.claim(request).steps
        assert step.claimed_at is not None
        assert step.claimed_at.tzinfo == UTC
        assert step == replace(
            before,
            claimed_by=engine,
            claim_request=request.request_id,
            claimed_at=step.claimed_at,
            claim_no=1,
        )
        assert self.find(store, step) == step

    def test_a_claimed_row_is_not_claimed_again(self, store: Store) -> None:
        self.added(store)
        one, other = self.make_engine(store), self.make_engine(store)
        assert len(self.claim(store, one).steps) == 1
        assert self.claim(store, one) == Claimed()
        assert self.claim(store, other) == Claimed()

    def test_each_claim_has_a_number_of_its_own(self, store: Store) -> None:
        self.added(store)
        engine = self.make_engine(store)
        numbers = []
        for _ in range(3):
            step = self.claim_one(store, engine)
            numbers.append(step.claim_no)
            self.release(store, engine, step.claim)
        assert sorted(set(numbers)) == numbers

    def test_a_row_is_not_claimed_before_its_time(self, store: Store) -> None:
        due = ahead()
        self.added(store, schedule_time=due)
        claimed = self.claim(store, self.make_engine(store))
        assert claimed == Claimed((), next_due=due)

    def test_the_limit_is_kept_and_the_rest_is_due(self, store: Store) -> None:
        times = [ago(60 - place) for place in range(5)]
        for time in times:
            self.added(store, schedule_time=time)
        claimed = self.claim(store, self.make_engine(store), limit=3)
        assert self._times(claimed) == times[:3]
        assert claimed.next_due is not None
        assert claimed.next_due < now()

    def test_nothing_to_claim_says_so(self, store: Store) -> None:
        assert self.claim(store, self.make_engine(store)) == Claimed()

    def test_next_due_is_the_earliest_of_what_was_not_taken(self, store: Store) -> None:
        soon, late = ahead(60), ahead()
        for time in (late, soon, ago(1)):
            self.added(store, schedule_time=time)
        claimed = self.claim(store, self.make_engine(store))
        assert len(claimed.steps) == 1
        assert claimed.next_due == soon

    def test_a_claim_from_a_place_on_leaves_out_at_most_what_stands_before_it_and_says_so(
        self, store: Store
    ) -> None:
        before, first, second = (self.added(store, schedule_time=ago(60 - n)) for n in range(3))
        elsewhere = self.added(store, schedule_time=ago(80), priority=Priority.URGENT)
        place = Position(first.queue, first.priority, first.schedule_time, first.id)
        engine = self.make_engine(store)
        claimed = self.claim(store, engine, since=(place,))
        taken = {step.id for step in claimed.steps}
        assert taken - {before.id} == {elsewhere.id, first.id, second.id}
        assert claimed.whole == (before.id in taken)
        rest = self.claim(store, engine)
        assert rest.whole
        assert len(claimed.steps + rest.steps) == 4

    def test_the_oldest_goes_first_within_a_band(self, store: Store) -> None:
        times = [ago(seconds) for seconds in (10, 30, 20, 50, 40)]
        for time in times:
            self.added(store, schedule_time=time)
        claimed = self.claim(store, self.make_engine(store))
        assert self._times(claimed) == sorted(times)

    def test_the_id_decides_between_rows_of_one_instant(self, store: Store) -> None:
        same, ids = ago(10), sorted(new_id() for _ in range(6))
        self.add(store, *[self.make_step(id=one, schedule_time=same) for one in reversed(ids)])
        engine = self.make_engine(store)
        taken = [self.claim(store, engine, limit=2).steps for _ in range(3)]
        assert [step.id for steps in taken for step in steps] == ids

    def test_a_batch_is_filled_from_the_bands_8_4_2_1(self, store: Store) -> None:
        self._fill_bands(store, 20)
        claimed = self.claim(store, self.make_engine(store), limit=15)
        bands = [step.priority for step in claimed.steps]
        assert [bands.count(band) for band in Priority] == [8, 4, 2, 1]

    def test_an_empty_band_leaves_its_places_to_the_others(self, store: Store) -> None:
        self._fill_bands(store, 10, bands=[Priority.HIGH, Priority.LOW])
        claimed = self.claim(store, self.make_engine(store), limit=10)
        bands = [step.priority for step in claimed.steps]
        assert (bands.count(Priority.HIGH), bands.count(Priority.LOW)) == (8, 2)

    def test_a_skew_lets_a_claim_of_one_reach_any_band(self, store: Store) -> None:
        self._fill_bands(store, 3)
        engine = self.make_engine(store)
        skewed = self.claim_one(store, engine, limit=1, skew=(0.0, 0.0, 0.0, 0.99))
        plain = self.claim_one(store, engine, limit=1)
        assert (skewed.priority, plain.priority) == (Priority.LOW, Priority.URGENT)

    @needs("many flows")
    def test_only_the_named_queues_are_claimed(self, store: Store) -> None:
        for queue in ("default", "mail", "other"):
            self.added(store, queue=queue)
        engine = self.make_engine(store)
        claimed = self.claim(store, engine, queues=("mail", "default"))
        assert {step.queue for step in claimed.steps} == {"mail", "default"}
        assert claimed.next_due is None

    @needs("many flows")
    def test_a_flow_is_claimed_in_any_queue_and_nothing_else(self, store: Store) -> None:
        flow = new_id()
        mine = {self.added(store, flow_id=flow, queue=queue).id for queue in ("runs", "default")}
        self.added(store)
        claimed = self.claim(store, self.make_engine(store), flow_id=flow)
        assert {step.id for step in claimed.steps} == mine
        assert claimed.next_due is None

    @needs("many flows")
    def test_a_flow_tells_when_its_next_row_is_due(self, store: Store) -> None:
        flow, due = new_id(), ahead()
        self.added(store, flow_id=flow, schedule_time=due)
        self.added(store, schedule_time=ahead(60))
        engine = self.make_engine(store)
        assert self.claim(store, engine, flow_id=flow) == Claimed((), next_due=due)
        now_due = self.added(store, flow_id=flow)
        claimed = self.claim(store, engine, flow_id=flow)
        assert [step.id for step in claimed.steps] == [now_due.id]
        assert claimed.next_due == due

    @needs("many flows")
    def test_a_foreign_name_of_a_flow_is_parked_and_left(self, store: Store) -> None:
        flow = new_id()
        step = self.added(store, "foreign", flow_id=flow)
        self.claim_all(store, self.make_engine(store), flow_id=flow)
        assert self.find(store, step).parked
        theirs = self.make_engine(store, "foreign")
        assert self.claim_one(store, theirs, "foreign", flow_id=flow).id == step.id

    @needs("many flows")
    def test_a_flow_is_claimed_by_the_bands_too(self, store: Store) -> None:
        flow = new_id()
        self._fill_bands(store, 2, flow_id=flow)
        claimed = self.claim(store, self.make_engine(store), flow_id=flow, limit=4)
        bands = [step.priority for step in claimed.steps]
        assert bands == [Priority.URGENT, Priority.URGENT, Priority.HIGH, Priority.HIGH]

    def test_an_engine_can_read_what_is_claimed_in_its_name(self, store: Store) -> None:
        for _ in range(2):
            self.added(store)
        one, other = self.make_engine(store), self.make_engine(store)
        mine, theirs = self.claim(store, one, limit=1), self.claim(store, other, limit=1)
        with store.transaction() as tx:
            assert tx.claimed(one) == [step.claim for step in mine.steps]
            assert tx.claimed(other) == [step.claim for step in theirs.steps]
            assert tx.claimed(new_id()) == []

    def test_a_released_row_is_claimable_at_once(self, store: Store) -> None:
        self.added(store)
        one, other = self.make_engine(store), self.make_engine(store)
        step = self.claim_one(store, one)
        assert self.release(store, one, step.claim) == 1
        freed = self.find(store, step)
        assert freed == replace(
            step, claimed_by=None, claim_request=None, claimed_at=None, claim_no=freed.claim_no
        )
        assert freed.claim_no > step.claim_no
        assert self.claim_one(store, other).id == step.id

    def test_only_its_own_claims_are_released(self, store: Store) -> None:
        for _ in range(2):
            self.added(store)
        one, other = self.make_engine(store), self.make_engine(store)
        mine, theirs = self.claim_one(store, one, limit=1), self.claim_one(store, other, limit=1)
        assert self.release(store, one, mine.claim, theirs.claim) == 1
        assert self.release(store, one, mine.claim) == 0
        assert self.find(store, theirs) == theirs

    def test_a_stale_claim_cannot_settle(self, store: Store) -> None:
        self.added(store)
        one, other = self.make_engine(store), self.make_engine(store)
        stale = self.claim_one(store, one)
        self.release(store, one, stale.claim)
        assert self.settle(store, one, self.ending(stale)) == [Verdict.REFUSED]
        held = self.claim_one(store, other)
        assert self.settle(store, one, self.ending(stale)) == [Verdict.REFUSED]
        assert self.find(store, stale) == held
        assert self.settle(store, other, self.ending(held)) == [Verdict.APPLIED]

    def test_the_same_engine_cannot_settle_under_an_older_claim(self, store: Store) -> None:
        self.added(store)
        engine = self.make_engine(store)
        stale = self.claim_one(store, engine)
        self.release(store, engine, stale.claim)
        fresh = self.claim_one(store, engine)
        assert self.settle(store, engine, self.ending(stale)) == [Verdict.REFUSED]
        assert self.find(store, fresh) == fresh

    def test_engines_that_claim_at_once_never_share_a_row(
        self, store: Store, other_store: Store
    ) -> None:
        steps = [self.make_step() for _ in range(60)]
        self.add(store, *steps)
        stores = [store, other_store] * 2
        engines = [self.make_engine(one) for one in stores]
        pairs = list(zip(stores, engines, strict=True))

        def drain(where: Store, engine: UUID) -> list[UUID]:
            taken: list[UUID] = []
            while claimed := self.claim(where, engine, limit=7).steps:
                taken.extend(step.id for step in claimed)
            return taken

        answers = together(*[lambda p=pair: drain(*p) for pair in pairs])
        taken = [step_id for answer in answers for step_id in _good(answer)]
        taken += [step.id for step in self.claim(store, engines[0]).steps]
        assert sorted(taken) == sorted(step.id for step in steps)

    def test_a_burial_during_a_claim_leaves_no_row_stranded(
        self, store: Store, other_store: Store
    ) -> None:
        for _ in range(20):
            self.added(store)
        dying, heir = self.make_engine(store), self.make_engine(other_store)

        def leave() -> None:
            with other_store.transaction() as tx:
                tx.leave(dying)

        together(lambda: self._claim_until_buried(store, dying), leave)
        assert len(self.claim(other_store, heir).steps) == 20

    def _claim_until_buried(self, store: Store, engine: UUID) -> None:
        try:
            while True:
                self.claim(store, engine, limit=1)
        except EngineBuried:
            return

    def _fill_bands(
        self, store: Store, each: int, bands: list[Priority] | None = None, **fields: Any
    ) -> None:
        steps = [
            self.make_step(priority=band, **fields)
            for band in bands or Priority
            for _ in range(each)
        ]
        self.add(store, *steps)

    def _times(self, claimed: Claimed) -> list[datetime]:
        return [step.schedule_time for step in claimed.steps]


def _good(answer: list[UUID] | Exception) -> list[UUID]:
    assert not isinstance(answer, Exception), answer
    return answer
