"""Claims that are row locks of one short transaction, and what becomes of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from stepwell.errors import SettlementRejected, UniqueKeyTaken
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Addition, EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Store, Transaction
from stepwell.testing.store_contract.base import PATIENCE, ContractBase, Cut, ago, ahead, needs

APPLIED, REFUSED = [Verdict.APPLIED], [Verdict.REFUSED]
DONE, FAILED = EndedAs.DONE, EndedAs.FAILED


class LockingContract(ContractBase):
    """`ClaimRequest.locking`, `Transaction.hold`, `Settlement.unwritten`."""

    def lock(self, tx: Transaction, engine_id: UUID, *labels: str, **fields: Any) -> list[Step]:
        """The rows that a locking claim gives."""
        claimed = tx.claim(self.request(engine_id, *labels, locking=True, **fields))
        return list(claimed.steps)

    def unwritten(self, step: Step, *additions: Step, **fields: Any) -> Settlement:
        """The settlement of a row that was only locked: done, unless it says otherwise."""
        return self.ending(step, *additions, unwritten=True, **fields)

    def hold(
        self, store: Store, engine_id: UUID, steps: Sequence[Step], *, freed: bool = False
    ) -> int:
        """Mark rows in a transaction of their own."""
        with store.transaction() as tx:
            return tx.hold(engine_id, new_id(), [step.claim for step in steps], freed=freed)

    def dropped(self, store: Store, engine_id: UUID) -> Step:
        """A step that was locked, in a transaction that has come to nothing."""
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine_id)
        return step

    def lock_and_settle(self, store: Store, engine_id: UUID, settlement: Settlement) -> None:
        """Lock the one row, and settle it in the same transaction."""
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine_id)
            assert step.claim == settlement.claim
            assert tx.settle(engine_id, [settlement]) == APPLIED

    @needs("row locks")
    def test_a_locked_row_is_not_marked_and_nobody_else_gets_it(
        self, store: Store, other_store: Store
    ) -> None:
        """Its claim number is the one that it would have got."""
        row = self.added(store)
        engine, other = self.make_engine(store), self.make_engine(store)
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine)
            assert (step.id, step.claim_no, step.claim_request) == (row.id, row.claim_no + 1, None)
            # Whoever runs it reads there whose it is, and the store's time.
            assert step.claimed_by == engine
            assert step.claimed_at is not None
            assert ago(PATIENCE) < step.claimed_at < ahead(PATIENCE)
            assert not self.claim(other_store, other).steps
            assert not self.claim(other_store, other, locking=True).steps
        assert self.find(store, row) == row
        assert self.claim_one(store, other).id == row.id

    @needs("row locks")
    @pytest.mark.parametrize("ended_as", [EndedAs.DONE, EndedAs.FAILED, None])
    def test_a_parked_row_that_is_locked_and_settled_is_parked_no_more(
        self, store: Store, ended_as: EndedAs | None
    ) -> None:
        """R19: not to whoever runs it, nor when it is due again."""
        row, engine = self.added(store), self.make_engine(store)
        self.claim(store, engine, "foreign")
        assert self.find(store, row).parked
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine)
            assert (step.claimed_by, step.parked) == (engine, False)
            assert tx.settle(engine, [self.unwritten(step, ended_as=ended_as)]) == APPLIED
        assert not self.find(store, row).parked

    @needs("row locks")
    @pytest.mark.parametrize("ended_as", [*EndedAs, None])
    def test_a_locked_row_is_settled_in_the_same_transaction(
        self, store: Store, ended_as: EndedAs | None
    ) -> None:
        """As one that was marked: number, count and table."""
        self.added(store)
        engine = self.make_engine(store)
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine)
            assert tx.settle(engine, [self.unwritten(step, ended_as=ended_as)]) == APPLIED
        after = self.find(store, step)
        assert after.status is (ended_as.status if ended_as else StepStatus.READY)
        assert (after.ended_as, after.claim_no) == (ended_as, step.claim_no)
        assert after.execution_count == 1

    @needs("row locks")
    def test_a_held_row_stays_its_engines_after_the_commit(self, store: Store) -> None:
        """And is settled later, on whatever connection, once."""
        self.added(store)
        engine, other = self.make_engine(store), self.make_engine(store)
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine)
            assert tx.hold(engine, new_id(), [step.claim]) == 1
        held = self.find(store, step)
        assert (held.claimed_by, held.claim) == (engine, step.claim)
        assert not self.claim(store, other).steps
        assert self.settle(store, engine, self.unwritten(step)) == APPLIED
        assert self.settle(store, other, self.unwritten(step)) == REFUSED

    @needs("row locks")
    def test_the_claim_of_a_lost_lock_holds_until_another_engine_takes_the_row(
        self, store: Store
    ) -> None:
        """R12, R14: who comes first has it, by the number."""
        self.added(store)
        engine, other = self.make_engine(store), self.make_engine(store)
        step = self.dropped(store, engine)
        assert self.hold(store, engine, [step]) == 1
        self.release(store, engine, step.claim)
        assert self.settle(store, engine, self.unwritten(step)) == REFUSED
        again = self.dropped(store, engine)
        taken = self.claim_one(store, other)
        assert taken.claim == again.claim
        assert self.hold(store, engine, [again]) == 0
        assert self.settle(store, engine, self.unwritten(again, self.make_step())) == REFUSED
        assert self.settle(store, other, self.ending(taken)) == APPLIED
        assert self.all_ids(store) == {step.id}

    @needs("row locks")
    def test_a_lost_lock_can_be_settled_as_long_as_nobody_has_the_row(self, store: Store) -> None:
        """Then the step has not begun anywhere else."""
        self.added(store)
        engine = self.make_engine(store)
        step, child = self.dropped(store, engine), self.make_step()
        assert self.settle(store, engine, self.unwritten(step, child)) == APPLIED
        assert self.all_ids(store) == {step.id, child.id}

    @needs("row locks")
    def test_a_rerun_by_another_engine_is_not_taken_for_ones_own(self, store: Store) -> None:
        """R13: under a lost lock two engines have had the same claim number."""
        self.added(store)
        engine, other = self.make_engine(store), self.make_engine(store)
        lost = self.dropped(store, engine)
        with store.transaction() as tx:
            (step,) = self.lock(tx, other)
            assert tx.settle(other, [self.unwritten(step, ended_as=None)]) == APPLIED
        assert step.claim == lost.claim
        assert self.settle(store, engine, self.unwritten(lost, ended_as=None)) == REFUSED
        assert self.find(store, step).execution_count == 1

    @needs("row locks")
    @pytest.mark.parametrize("ended_as", [EndedAs.DONE, EndedAs.FAILED, None])
    def test_a_settlement_whose_answer_was_lost_counts_as_applied(
        self, store: Store, cut: Cut, ended_as: EndedAs | None
    ) -> None:
        """R13, for what was settled under a lock."""
        self.added(store)
        engine = self.make_engine(store)
        step = self.dropped(store, engine)
        settlement = self.unwritten(step, self.make_step(), ended_as=ended_as)
        with cut(store, "after"):
            self.lock_and_settle(store, engine, settlement)
        assert self.settle(store, engine, settlement) == APPLIED
        assert self.find(store, step).execution_count == 1
        assert len(self.all_ids(store)) == 2

    @needs("row locks")
    def test_what_a_cut_before_the_commit_took_back_is_settled_again(
        self, store: Store, cut: Cut
    ) -> None:
        """Rows and locks alike were given back by the database."""
        self.added(store)
        engine = self.make_engine(store)
        step = self.dropped(store, engine)
        with cut(store, "before"):
            self.lock_and_settle(store, engine, self.unwritten(step))
        assert self.find(store, step).status is StepStatus.READY
        assert self.settle(store, engine, self.unwritten(step)) == APPLIED
        assert self.find(store, step).status is StepStatus.DONE

    @needs("row locks", "many flows")
    def test_rows_of_foreign_names_bring_no_row_twice(self, store: Store) -> None:
        """R19: to get past them takes more than one round, in a transaction that passes over
        nobody's locks but those of others."""
        for _ in range(30):
            self.added(store, "foreign")
        mine = {self.added(store).id for _ in range(5)}
        mixed = [self.added(store, "foreign"), self.added(store)]
        engine = self.make_engine(store)
        with store.transaction() as tx:
            steps = self.lock(tx, engine, limit=10)
        assert len({step.id for step in steps}) == len(steps)
        assert {step.id for step in steps} == mine | {mixed[1].id}

    @needs("row locks")
    def test_a_conflict_leaves_the_locks(self, store: Store, other_store: Store) -> None:
        """R16: what was refused is marked, and settled one by one later."""
        self.added(store)
        other = self.make_engine(store)
        engine = self.make_engine(store)
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine)
            self.added(other_store, "keyed", unique_key="k", schedule_time=ahead())
            with pytest.raises(UniqueKeyTaken):
                tx.settle(engine, [self.unwritten(step, self.make_step("keyed", unique_key="k"))])
            assert not self.claim(other_store, other).steps
            assert tx.hold(engine, new_id(), [step.claim]) == 1
        with pytest.raises(SettlementRejected):
            self.settle(store, engine, self.unwritten(step, failure_count=2**40))
        assert self.find(store, step).claimed_by == engine
        assert self.settle(store, engine, self.unwritten(step)) == APPLIED

    @needs("row locks", "many flows")
    def test_nothing_is_marked_in_the_name_of_a_buried_engine(self, store: Store) -> None:
        """R11: nobody would ever give it back."""
        self.added(store)
        engine, other = self.make_engine(store), self.make_engine(store)
        step = self.dropped(store, engine)
        self.bury(store, engine)
        assert self.hold(store, engine, [step]) == 0
        assert self.claim_one(store, other).id == step.id

    @needs("row locks")
    def test_a_locked_rows_engine_is_buried_after_the_transaction(
        self, store: Store, other_store: Store
    ) -> None:
        """What it has marked in it is given back."""
        self.added(store)
        engine = self.make_engine(store)
        watcher = self.make_engine(store)
        over = threading.Event()

        def bury() -> None:
            with other_store.transaction() as tx:
                tx.bury(engine, tx.beat(watcher, []).beats[engine])
            over.set()

        thread = threading.Thread(target=bury)
        with store.transaction() as tx:
            (step,) = self.lock(tx, engine)
            thread.start()
            assert not over.wait(0.1)
            tx.hold(engine, new_id(), [step.claim])
        assert over.wait(PATIENCE)
        thread.join(PATIENCE)
        after = self.find(store, step)
        assert (after.claimed_by, after.claim_no) == (None, step.claim_no + 1)

    @needs("row locks", "wake")
    def test_locked_rows_that_are_free_again_wake_engines(
        self, store: Store, other_store: Store
    ) -> None:
        """They saw nothing to claim while the rows were locked, and went to sleep."""
        self.added(store)
        engine, other = self.make_engine(store), self.make_engine(store)
        wake = other_store.wake()
        try:
            with store.transaction() as tx:
                self.lock(tx, engine)
                assert not self.claim(other_store, other).steps
                while wake.wait(0.3):
                    pass  # what was said before
                tx.hold(engine, new_id(), [], freed=True)
            assert wake.wait(PATIENCE)
        finally:
            wake.close()
        assert self.claim(other_store, other).steps

    @needs("row locks")
    def test_a_change_of_a_locked_row_waits_for_the_transaction(
        self, store: Store, other_store: Store
    ) -> None:
        """R8: who activates a row that is being run comes before its next claim, or after."""
        self.added(store)
        engine, changed = self.make_engine(store), []

        def change(step: Step) -> None:
            changed.append(self.activate(other_store, step, '"now"'))

        with store.transaction() as tx:
            (step,) = self.lock(tx, engine)
            thread = threading.Thread(target=change, args=[step])
            thread.start()
            tx.hold(engine, new_id(), [step.claim])
        thread.join(PATIENCE)
        assert changed == [True]
        rerun = replace(self.unwritten(step, keep_activation=True), ended_as=None)
        assert self.settle(store, engine, rerun) == APPLIED
        assert self.find(store, step).activation_args == '"now"'

    @needs("row locks")
    def test_steps_may_be_added_as_claimed_by_an_engine_that_lives(self, store: Store) -> None:
        """Nobody else gets them. What the dead would hold for ever is left out (R11)."""
        alive, other = self.make_engine(store), self.make_engine(store)
        marks: dict[str, Any] = {
            "claim_no": 1,
            "claim_request": new_id(),
            "claimed_at": ago(0),
        }
        taken = self.make_step(claimed_by=alive, **marks)
        lost = self.make_step(claimed_by=new_id(), **marks)
        free = self.make_step()
        rows = [Addition(step) for step in (taken, lost, free)]
        assert store.add(rows) == [True, False, True]
        assert store.add(rows) == [False, False, False]
        assert self.claim_one(store, other).id == free.id
        with store.transaction() as tx:
            assert tx.claimed(alive) == [taken.claim]

    def settled_last(
        self, store: Store, engine_id: UUID, *settlements: Settlement
    ) -> Sequence[bool]:
        """Which were applied."""
        with store.transaction() as tx:
            answer = tx.settle_last(engine_id, settlements)
        return answer()

    def is_there(self, store: Store, addition: Addition) -> bool:
        """Whether it was inserted."""
        with store.transaction() as tx:
            return bool(tx.search(StepQuery(ids=(addition.step.id,))))

    def spawned(self, parent: Step, **fields: Any) -> Addition:
        """A row whose id was made while its parent ran."""
        row = self.make_step(created_by_step_id=parent.id, **fields)
        return Addition(row, fresh=True)

    @needs("row locks")
    @pytest.mark.parametrize("ended_as", [EndedAs.DONE, EndedAs.FAILED, None])
    def test_a_settlement_may_go_with_the_commit_and_spawns_only_if_its_claim_holds(
        self, store: Store, ended_as: EndedAs | None
    ) -> None:
        """R12. What it comes to is known after that."""
        self.added(store)
        self.added(store)
        engine = self.make_engine(store)
        mine, other = self.claim(store, engine).steps
        self.release(store, engine, other.claim)
        told = [
            replace(self.ending(one, ended_as=ended_as), additions=(self.spawned(one),))
            for one in (mine, other)
        ]
        assert list(self.settled_last(store, engine, *told)) == [True, False]
        assert self.find(store, mine).ended_as == ended_as
        assert self.find(store, other).claimed_by is None
        assert [self.is_there(store, one.additions[0]) for one in told] == [True, False]
        assert self.settle(store, engine, told[0]) == APPLIED
        assert self.settle(store, engine, told[1]) == REFUSED

    @needs("row locks")
    @pytest.mark.parametrize("lives", [True, False], ids=["alive", "buried"])
    @pytest.mark.parametrize("ends", [(DONE, DONE), (FAILED, FAILED), (DONE, None)])
    def test_what_spawns_claimed_steps_is_settled_with_the_commit_if_the_engine_lives(
        self, store: Store, ends: Sequence[EndedAs | None], lives: bool
    ) -> None:
        """R11: they would be claimed by a buried one for ever."""
        _, _ = self.added(store), self.added(store)
        engine = self.make_engine(store)
        with store.transaction() as tx:
            steps = self.lock(tx, engine)
        if not lives:
            with store.transaction() as tx:
                assert tx.bury(engine, 0) is not None
        children = [self.spawned(step, claimed_by=engine, claim_no=1) for step in steps]
        told = [
            replace(self.unwritten(step), ended_as=end, additions=(child,))
            for step, end, child in zip(steps, ends, children, strict=True)
        ]
        assert list(self.settled_last(store, engine, *told)) == [lives] * 2
        assert [self.is_there(store, child) for child in children] == [lives] * 2
        ended = [self.find(store, step).ended_as for step in steps]
        assert ended == [one.ended_as if lives else None for one in told]

    @needs("row locks")
    def test_a_spawned_row_that_is_there_already_takes_back_what_goes_with_the_commit(
        self, store: Store
    ) -> None:
        """R1: its engine would run it once more."""
        known = self.added(store)
        self.added(store, "other")
        engine = self.make_engine(store)
        step = self.claim_one(store, engine, "other")
        told = replace(
            self.ending(step),
            additions=(Addition(replace(known, created_by_step_id=step.id), fresh=True),),
        )
        with pytest.raises(SettlementRejected):
            self.settled_last(store, engine, told)
        assert self.find(store, step) == step
        assert self.find(store, known).created_by_step_id == known.created_by_step_id
