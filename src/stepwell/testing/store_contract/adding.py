"""Adding steps: ids that make it idempotent, and keys that keep them single (R1, R5, R9)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from functools import partial

import pytest

from stepwell.codec import MAX_BYTES
from stepwell.errors import UniqueKeyTaken
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import Addition, EndedAs, OnConflict, Priority, Retention, Step, StepQuery
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import (
    ContractBase,
    ago,
    ahead,
    needs,
    persistent,
    together,
)


class AddingContract(ContractBase):
    """What holds of adding, in a transaction of its own and in one with other verbs."""

    in_transaction = False

    @pytest.fixture(params=["alone", "in a transaction"], autouse=True)
    def way(self, request: pytest.FixtureRequest) -> None:
        self.in_transaction = request.param != "alone"

    def add(
        self, store: Store, *steps: Step, on_conflict: OnConflict = OnConflict.ERROR
    ) -> list[bool]:
        """Add rows, the way that this test is about."""
        if not self.in_transaction:
            return super().add(store, *steps, on_conflict=on_conflict)
        with store.transaction() as tx:
            return tx.add([Addition(step, on_conflict) for step in steps])

    def test_a_row_reads_as_it_was_added(self, store: Store) -> None:
        full = self.make_step(
            queue="mail",
            priority=Priority.HIGH,
            unique_key="k",
            correlation_id="order-7",
            search_key="customer/ø",
            description='Grüße, 世界 🌍, it\'s "quoted"; -- %s ? :x',
            created_by_step_id=new_id(),
            copy_of=new_id(),
            retention=Retention.LONG,
            state='{"text":"Grüße 世界 🌍"}',
            state_format="other",
            activation_args="[1]",
            schedule_time=ahead(),
        )
        bare = self.make_step(state=None)
        assert self.add(store, full, bare) == [True, True]
        assert self.find(store, full) == full
        assert self.find(store, bare) == bare

    def test_the_largest_state_and_result_are_kept(self, store: Store) -> None:
        text = '"' + "ø" * (MAX_BYTES // 2 - 1) + '"'
        step = self.added(store, state=text)
        engine = self.make_engine(store)
        assert self.claim_one(store, engine).state == text
        self.settle(store, engine, self.ending(self.find(store, step), result=text))
        assert self.find(store, step).result == text

    def test_the_same_id_again_is_the_same_step(self, store: Store) -> None:
        step = self.added(store)
        twin = self.make_step("other", id=step.id)
        assert self.add(store, step) == [False]
        assert self.add(store, twin) == [False]
        assert self.find(store, step) == step

    def test_an_id_twice_in_one_call_is_one_step(self, store: Store) -> None:
        step = self.make_step()
        assert self.add(store, step, self.make_step(), step) == [True, True, False]

    @pytest.mark.parametrize("ended_as", EndedAs)
    def test_an_ended_step_is_not_added_again(self, store: Store, ended_as: EndedAs) -> None:
        step = self.added(store, unique_key="k")
        with store.transaction() as tx:
            assert tx.end(step.id, ended_as, "over")
        assert self.add(store, step) == [False]
        assert self.find(store, step).ended_as is ended_as

    def test_adding_nothing_is_nothing(self, store: Store) -> None:
        assert self.add(store) == []

    def test_many_are_added_at_once(self, store: Store) -> None:
        steps = [self.make_step(schedule_time=ahead()) for _ in range(500)]
        assert self.add(store, *steps) == [True] * 500
        assert self.all_ids(store) == {step.id for step in steps}

    def test_a_name_has_one_ready_step_per_key(self, store: Store) -> None:
        self.added(store, unique_key="k")
        self.added(store, unique_key="other")
        self.added(store, "other", unique_key="k")
        self.added(store)
        self.added(store)
        with pytest.raises(UniqueKeyTaken, match="work"):
            self.add(store, self.make_step(unique_key="k"))

    def test_the_empty_key_makes_a_singleton(self, store: Store) -> None:
        self.added(store, unique_key="")
        with pytest.raises(UniqueKeyTaken):
            self.add(store, self.make_step(unique_key=""))

    def test_a_claimed_step_still_holds_its_key(self, store: Store) -> None:
        self.added(store, unique_key="k")
        self.claim_one(store, self.make_engine(store))
        with pytest.raises(UniqueKeyTaken):
            self.add(store, self.make_step(unique_key="k"))

    def test_a_key_that_is_taken_adds_nothing_of_the_call(self, store: Store) -> None:
        taken = self.added(store, unique_key="k")
        with pytest.raises(UniqueKeyTaken):
            self.add(store, self.make_step(), self.make_step(unique_key="k"), self.make_step())
        assert self.all_ids(store) == {taken.id}

    def test_a_key_twice_in_one_call_is_taken_too(self, store: Store) -> None:
        with pytest.raises(UniqueKeyTaken):
            self.add(store, self.make_step(unique_key="k"), self.make_step(unique_key="k"))
        assert self.all_ids(store) == set()

    def test_the_same_step_again_does_not_clash_with_itself(self, store: Store) -> None:
        step = self.added(store, unique_key="k")
        for choice in OnConflict:
            assert self.add(store, step, on_conflict=choice) == [False]
        assert self.find(store, step) == step

    def test_an_ended_step_frees_its_key(self, store: Store) -> None:
        self.added(store, unique_key="k")
        engine = self.make_engine(store)
        self.settle(store, engine, self.ending(self.claim_one(store, engine)))
        self.added(store, unique_key="k")

    def test_a_conflict_can_be_ignored(self, store: Store) -> None:
        first = self.added(store, unique_key="k")
        second, plain = self.make_step(unique_key="k"), self.make_step()
        assert self.add(store, second, plain, on_conflict=OnConflict.IGNORE) == [False, True]
        assert self.all_ids(store) == {first.id, plain.id}

    def test_a_conflict_can_replace_what_is_there(self, store: Store) -> None:
        first, second = self.added(store, unique_key="k"), self.make_step(unique_key="k")
        assert self.add(store, second, on_conflict=OnConflict.REPLACE) == [True]
        row = self.find(store, first)
        assert row.ended_as is EndedAs.CANCELLED
        assert row.ended_at is not None
        assert row.description
        assert self.find(store, second) == second

    def test_replacing_where_nothing_is_just_adds(self, store: Store) -> None:
        step = self.make_step(unique_key="k")
        assert self.add(store, step, on_conflict=OnConflict.REPLACE) == [True]

    def test_what_is_replaced_while_it_runs_cannot_settle(self, store: Store) -> None:
        first = self.added(store, unique_key="k")
        engine = self.make_engine(store)
        claimed = self.claim_one(store, engine)
        second = self.make_step(unique_key="k", schedule_time=ago(1))
        self.add(store, second, on_conflict=OnConflict.REPLACE)
        assert self.settle(store, engine, self.ending(claimed)) == [Verdict.REFUSED]
        assert self.find(store, first).ended_as is EndedAs.CANCELLED
        assert self.claim_one(store, engine).id == second.id

    def test_of_two_that_add_one_key_at_once_one_is_added(
        self, store: Store, other_store: Store
    ) -> None:
        for place in range(10):
            adds = [
                persistent(partial(self.add, one, step, on_conflict=OnConflict.IGNORE))
                for one, step in (
                    (store, self.make_step(unique_key=str(place))),
                    (other_store, self.make_step(unique_key=str(place))),
                )
            ]
            answers = together(*adds)
            assert sorted(answers, key=str) == [[False], [True]]

    def test_of_two_that_add_one_id_at_once_one_is_added(
        self, store: Store, other_store: Store
    ) -> None:
        for _ in range(10):
            step = self.make_step()
            answers = together(
                *[persistent(partial(self.add, one, step)) for one in (store, other_store)]
            )
            assert sorted(answers, key=str) == [[False], [True]]

    @needs("add_if_none")
    def test_add_if_none_adds_only_where_nothing_matches(self, store: Store) -> None:
        query = StepQuery(name=self.name("work"), search_key="customer-7")
        first, second = (self.make_step(search_key="customer-7") for _ in range(2))
        other = self.added(store, search_key="customer-8")
        assert self.add_if_none(store, Addition(first), query)
        assert not self.add_if_none(store, Addition(second), query)
        assert self.all_ids(store) == {first.id, other.id}

    @needs("add_if_none")
    def test_add_if_none_looks_where_the_query_says(self, store: Store) -> None:
        step = self.added(store)
        engine = self.make_engine(store)
        self.settle(store, engine, self.ending(self.claim_one(store, engine)))
        in_ready = StepQuery(name=step.name, status=self.make_step().status)
        anywhere = StepQuery(name=step.name)
        assert not self.add_if_none(store, Addition(self.make_step()), anywhere)
        assert self.add_if_none(store, Addition(self.make_step()), in_ready)

    @needs("add_if_none")
    def test_two_callers_of_add_if_none_cannot_both_insert(
        self, store: Store, other_store: Store
    ) -> None:
        for place in range(10):
            query = StepQuery(name=self.name("work"), search_key=str(place))
            two = [Addition(self.make_step(search_key=str(place))) for _ in range(2)]
            answers = together(
                lambda q=query, t=two: self.add_if_none(store, t[0], q),  # type: ignore[misc]
                lambda q=query, t=two: self.add_if_none(other_store, t[1], q),  # type: ignore[misc]
            )
            assert sorted(answers, key=str) == [False, True]
