"""Engines: beats, burials and what a dead engine leaves (R10, R11, R15)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from datetime import UTC
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.errors import EngineBuried
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import EndedAs, Step, StepStatus
from stepwell.stores.protocol import Burial, EngineInfo, Store
from stepwell.testing.store_contract.base import ContractBase, needs, together


class EnginesContract(ContractBase):
    """What holds of engine rows."""

    def test_joining_gives_the_stores_time_and_the_beats(self, store: Store) -> None:
        engine = self._info()
        with store.transaction() as tx:
            pulse = tx.join(engine)
        assert pulse.now.tzinfo == UTC
        assert abs((pulse.now - now()).total_seconds()) < 60
        assert pulse.beats[engine.id] == 0

    def test_joining_again_changes_nothing(self, store: Store) -> None:
        engine = self._info()
        with store.transaction() as tx:
            tx.join(engine)
            tx.beat(engine.id, [])
            assert tx.join(engine).beats[engine.id] == 1

    def test_each_beat_raises_the_counter_by_one(self, store: Store) -> None:
        engine = self.make_engine(store)
        with store.transaction() as tx:
            assert [tx.beat(engine, []).beats[engine] for _ in range(3)] == [1, 2, 3]

    @needs("many flows")
    def test_a_beat_shows_every_engine(self, store: Store) -> None:
        one, other = self.make_engine(store), self.make_engine(store)
        with store.transaction() as tx:
            assert tx.beat(one, []).beats == {one: 1, other: 0}

    def test_an_engine_that_never_joined_cannot_beat_or_claim(self, store: Store) -> None:
        with pytest.raises(EngineBuried), store.transaction() as tx:
            tx.beat(new_id(), [])
        with pytest.raises(EngineBuried):
            self.claim(store, new_id())

    def test_a_beat_marks_what_has_started(self, store: Store) -> None:
        self.added(store)
        self.added(store)
        engine = self.make_engine(store)
        started, waiting = self.claim(store, engine).steps
        with store.transaction() as tx:
            tx.beat(engine, [started.claim])
        assert self.find(store, started).started
        assert not self.find(store, waiting).started

    def test_a_beat_marks_nothing_under_a_stale_claim(self, store: Store) -> None:
        self.added(store)
        engine = self.make_engine(store)
        stale = self.claim_one(store, engine)
        self.release(store, engine, stale.claim)
        fresh = self.claim_one(store, engine)
        with store.transaction() as tx:
            tx.beat(engine, [stale.claim])
        assert not self.find(store, fresh).started

    def test_a_beat_says_which_claims_hold_no_more(self, store: Store) -> None:
        self.added(store)
        self.added(store)
        engine = self.make_engine(store)
        held, taken = self.claim(store, engine).steps
        claims = [held.claim, taken.claim]
        with store.transaction() as tx:
            assert tx.beat(engine, claims).lost == ()
            assert tx.beat(engine, claims).lost == ()
        self.release(store, engine, taken.claim)
        with store.transaction() as tx:
            assert tx.beat(engine, claims).lost == (taken.claim,)
        again = self.claim_one(store, engine)
        with store.transaction() as tx:
            assert tx.beat(engine, [again.claim, *claims]).lost == (taken.claim,)

    def test_a_beat_about_a_step_that_ended_says_so(self, store: Store) -> None:
        step = self.added(store)
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        with store.transaction() as tx:
            tx.end(step.id, EndedAs.CANCELLED, "not needed")
        with store.transaction() as tx:
            assert tx.beat(engine, [claimed.claim]).lost == (claimed.claim,)

    @needs("bury")
    def test_an_engine_is_buried_only_at_the_beat_that_was_seen(self, store: Store) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        with store.transaction() as tx:
            tx.beat(engine, [])
            assert tx.bury(engine, 0) is None
        assert self.find(store, step) == step
        with store.transaction() as tx:
            assert tx.bury(engine, 1) == Burial(released=1)

    @needs("bury")
    def test_nobody_is_buried_twice(self, store: Store) -> None:
        engine = self.make_engine(store)
        with store.transaction() as tx:
            assert tx.bury(engine, 0) == Burial(released=0)
            assert tx.bury(engine, 0) is None

    @needs("bury")
    def test_of_two_burials_at_once_one_counts(self, store: Store, other_store: Store) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)

        def bury(where: Store) -> Burial | None:
            with where.transaction() as tx:
                return tx.bury(engine, 0)

        answers = together(lambda: bury(store), lambda: bury(other_store))
        assert sorted(map(str, answers)) == sorted([str(Burial(1)), "None"])
        assert self.find(store, step).lost_count == 1

    @needs("bury")
    def test_a_buried_engines_claims_are_free_under_a_new_number(self, store: Store) -> None:
        self.added(store)
        dead, alive = self.make_engine(store), self.make_engine(store)
        before = self.claim_one(store, dead)
        self.bury(store, dead)
        freed = self.find(store, before)
        assert (freed.claimed_by, freed.claim_request, freed.claimed_at) == (None, None, None)
        assert freed.claim_no > before.claim_no
        assert self.claim_one(store, alive).id == before.id

    @needs("bury")
    def test_a_buried_engine_can_do_nothing_more(self, store: Store) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        self.bury(store, engine)
        with pytest.raises(EngineBuried):
            self.claim(store, engine)
        with pytest.raises(EngineBuried), store.transaction() as tx:
            tx.beat(engine, [])
        assert self.settle(store, engine, self.ending(step)) == [Verdict.REFUSED]
        assert self.release(store, engine, step.claim) == 0
        assert self.find(store, step).status is StepStatus.READY

    @needs("bury")
    def test_a_burial_takes_nothing_from_others(self, store: Store) -> None:
        self.added(store)
        dead, alive = self.make_engine(store), self.make_engine(store)
        step = self.claim_one(store, alive)
        assert self.bury(store, dead) == (0, ())
        assert self.find(store, step) == step

    @needs("bury")
    def test_what_had_started_is_blamed(self, store: Store) -> None:
        for _ in range(2):
            self.added(store)
        engine = self.make_engine(store)
        started, waiting = self.claim(store, engine).steps
        with store.transaction() as tx:
            tx.beat(engine, [started.claim])
        self.bury(store, engine)
        assert self.find(store, started).lost_count == 1
        assert self.find(store, waiting).lost_count == 0
        assert not self.find(store, started).started

    @needs("bury")
    def test_without_a_mark_all_are_blamed(self, store: Store) -> None:
        for _ in range(2):
            self.added(store)
        engine = self.make_engine(store)
        steps = self.claim(store, engine).steps
        self.bury(store, engine)
        assert [self.find(store, step).lost_count for step in steps] == [1, 1]

    @needs("bury")
    def test_a_step_that_has_lost_five_engines_fails(self, store: Store) -> None:
        step = self.added(store, unique_key="poison")
        for lost in range(1, 5):
            self._lose(store, step)
            assert self.find(store, step).lost_count == lost
        claimed, released, failed = self._lose(store, step)
        assert (released, failed) == (0, (step.id,))
        row = self.find(store, step)
        assert (row.ended_as, row.lost_count) == (EndedAs.FAILED, 5)
        assert row.description == "its engine died 5 times while running it"
        assert row.ended_at is not None
        assert row.claim_no > claimed.claim_no
        self.added(store, unique_key="poison")

    @needs("bury")
    def test_any_settlement_forgives_lost_engines(self, store: Store) -> None:
        step = self.added(store)
        self._lose(store, step)
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        assert claimed.lost_count == 1
        self.settle(store, engine, self.rerunning(claimed))
        assert self.find(store, step).lost_count == 0

    def test_leaving_gives_claims_back_without_blame(self, store: Store) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        with store.transaction() as tx:
            tx.beat(engine, [step.claim])
            tx.leave(engine)
        freed = self.find(store, step)
        assert (freed.claimed_by, freed.started, freed.lost_count) == (None, False, 0)
        assert freed.claim_no > step.claim_no
        assert self.settle(store, engine, self.ending(step)) == [Verdict.REFUSED]

    def test_leaving_twice_is_harmless(self, store: Store) -> None:
        engine = self.make_engine(store)
        for _ in range(2):
            with store.transaction() as tx:
                tx.leave(engine)
        with pytest.raises(EngineBuried):
            self.claim(store, engine)

    def _info(self) -> EngineInfo:
        names = (self.name("work"),)
        return EngineInfo(
            id=new_id(), name="contract", version="1", handles=names, queues=("default",)
        )

    def _lose(self, store: Store, step: Step) -> tuple[Step, int, tuple[UUID, ...]]:
        """An engine claims the step, alone if it must, and dies."""
        engine = self.make_engine(store)
        suspect = self.find(store, step).lost_count >= 2
        claimed = self.claim_one(store, engine, alone=suspect)
        released, failed = self.bury(store, engine)
        return claimed, released, failed
