"""Lost answers: the connection is cut before and after every commit (R13)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

import pytest

from stepwell.errors import EngineBuried
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Addition, EndedAs, OnConflict, Step, StepQuery, StepStatus
from stepwell.stores.protocol import EngineInfo, Store
from stepwell.testing.store_contract.base import ContractBase, Cut, Where, ahead, needs

EITHER = pytest.mark.parametrize("where", ["before", "after"])


class CutsContract(ContractBase):
    """What an engine may rely on when it does not know whether a verb has happened."""

    @EITHER
    def test_a_step_added_again_is_added_once(self, store: Store, cut: Cut, where: Where) -> None:
        step = self.make_step(unique_key="k")
        with cut(store, where):
            self.add(store, step)
        assert self.add(store, step) == [where == "before"]
        assert self.all_ids(store) == {step.id}

    @EITHER
    def test_a_replacement_made_again_is_made_once(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        old, new = self.added(store, unique_key="k"), self.make_step(unique_key="k")
        with cut(store, where):
            self.add(store, new, on_conflict=OnConflict.REPLACE)
        self.add(store, new, on_conflict=OnConflict.REPLACE)
        assert self.find(store, new) == new
        assert self.find(store, old).ended_as is EndedAs.CANCELLED

    @EITHER
    def test_an_engine_joins_again(self, store: Store, cut: Cut, where: Where) -> None:
        engine = EngineInfo(
            id=self.make_step().id, name="e", version="1", handles=(), queues=("default",)
        )
        with cut(store, where), store.transaction() as tx:
            tx.join(engine)
        with store.transaction() as tx:
            assert tx.join(engine).beats[engine.id] == 0

    @EITHER
    def test_an_engine_beats_again(self, store: Store, cut: Cut, where: Where) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        with cut(store, where), store.transaction() as tx:
            tx.beat(engine, [step.claim])
        with store.transaction() as tx:
            assert tx.beat(engine, [step.claim]).beats[engine] == (2 if where == "after" else 1)
        assert self.find(store, step).started

    @EITHER
    def test_claims_whose_answer_was_lost_are_found_and_released(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        for _ in range(3):
            self.added(store)
        engine, other = self.make_engine(store), self.make_engine(store)
        with cut(store, where):
            self.claim(store, engine)
        with store.transaction() as tx:
            lost = tx.claimed(engine)
        assert len(lost) == (3 if where == "after" else 0)
        assert self.release(store, engine, *lost) == len(lost)
        assert len(self.claim(store, other).steps) == 3

    @EITHER
    def test_a_lost_claim_is_told_by_its_request(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        for _ in range(2):
            self.added(store)
        engine = self.make_engine(store)
        known = self.claim_one(store, engine, limit=1)
        request = self.request(engine)
        with cut(store, where), store.transaction() as tx:
            tx.claim(request)
        with store.transaction() as tx:
            strangers = [claim for claim in tx.claimed(engine) if claim != known.claim]
        marks = [self.find(store, claim.step_id).claim_request for claim in strangers]
        assert marks == ([request.request_id] if where == "after" else [])

    @EITHER
    def test_claims_are_released_again(self, store: Store, cut: Cut, where: Where) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        with cut(store, where):
            self.release(store, engine, step.claim)
        assert self.release(store, engine, step.claim) == (where == "before")
        assert self.find(store, step).claimed_by is None
        assert self.settle(store, engine, self.ending(step)) == [Verdict.REFUSED]

    @EITHER
    @pytest.mark.parametrize("ended_as", [*EndedAs, None])
    def test_an_outcome_settled_again_is_applied_once(
        self, store: Store, cut: Cut, where: Where, ended_as: EndedAs | None
    ) -> None:
        self.added(store, unique_key="k")
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        spawned = self.make_step("spawned", unique_key="s")
        settlement = self.ending(step, spawned, ended_as=ended_as)
        with cut(store, where):
            self.settle(store, engine, settlement)
        assert self.settle(store, engine, settlement) == [Verdict.APPLIED]
        row = self.find(store, step)
        assert (row.execution_count, row.ended_as) == (1, ended_as)
        assert self.all_ids(store) == {step.id, spawned.id}

    @EITHER
    def test_a_batch_settled_again_is_applied_once(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        self.add(store, *[self.make_step() for _ in range(6)])
        engine = self.make_engine(store)
        steps = self.claim(store, engine).steps
        batch = [self._mixed(place, step) for place, step in enumerate(steps)]
        with cut(store, where):
            self.settle(store, engine, *batch)
        assert self.settle(store, engine, *batch) == [Verdict.APPLIED] * 6
        assert {self.find(store, step).execution_count for step in steps} == {1}
        assert len(self.all_ids(store, name=self.name("spawned"))) == 6

    @EITHER
    def test_an_outcome_is_refused_if_the_claim_fell_meanwhile(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        with cut(store, where), store.transaction() as tx:
            tx.reschedule(step.id, ahead())
        with store.transaction() as tx:
            tx.reschedule(step.id, ahead())
        assert self.settle(store, engine, self.ending(step)) == [Verdict.REFUSED]
        assert self.find(store, step).status is StepStatus.READY

    @needs("bury")
    @EITHER
    def test_a_burial_happens_once(self, store: Store, cut: Cut, where: Where) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        with cut(store, where), store.transaction() as tx:
            tx.bury(engine, 0)
        with store.transaction() as tx:
            assert (tx.bury(engine, 0) is None) == (where == "after")
        row = self.find(store, step)
        assert (row.claimed_by, row.lost_count) == (None, 1)

    @EITHER
    def test_an_engine_leaves_again(self, store: Store, cut: Cut, where: Where) -> None:
        self.added(store)
        engine = self.make_engine(store)
        step = self.claim_one(store, engine)
        with cut(store, where), store.transaction() as tx:
            tx.leave(engine)
        with store.transaction() as tx:
            tx.leave(engine)
        assert self.find(store, step).claimed_by is None
        with pytest.raises(EngineBuried):
            self.claim(store, engine)

    @EITHER
    def test_a_step_ended_by_hand_again_is_ended_once(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        step = self.added(store)
        with cut(store, where), store.transaction() as tx:
            tx.end(step.id, EndedAs.DONE, "by hand")
        with store.transaction() as tx:
            assert tx.end(step.id, EndedAs.DONE, "by hand") == (where == "before")
        assert self.find(store, step).claim_no == 1

    @needs("add_if_none")
    @EITHER
    def test_add_if_none_again_adds_once(self, store: Store, cut: Cut, where: Where) -> None:
        step = self.make_step()
        with cut(store, where):
            self.add_if_none(store, Addition(step), StepQuery(name=step.name))
        self.add_if_none(store, Addition(step), StepQuery(name=step.name))
        assert self.all_ids(store) == {step.id}

    @EITHER
    def test_an_activation_made_again_leaves_its_arguments(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        step = self.added(store, schedule_time=ahead())
        with cut(store, where), store.transaction() as tx:
            tx.activate(step.id, "1", None)
        with store.transaction() as tx:
            assert tx.activate(step.id, "1", None)
        claimed = self.claim_one(store, self.make_engine(store))
        assert claimed.activation_args == "1"

    def _mixed(self, place: int, step: Step) -> Settlement:
        ends = [EndedAs.DONE, EndedAs.FAILED, None]
        return self.ending(step, self.make_step("spawned"), ended_as=ends[place % 3])
