"""Rows in bulk: as if they had been added one by one, but that nothing is looked up."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

import pytest

from stepwell.ids import new_ids
from stepwell.step import Priority, Retention, Step
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import ContractBase, ahead, needs


class LoadingContract(ContractBase):
    """What `load` does."""

    def _load(self, store: Store, template: Step, *states: str) -> list[UUID]:
        ids = list(islice(new_ids(), len(states)))
        with store.transaction() as tx:
            assert tx.load(template, zip(ids, states, strict=True)) == len(states)
        return [UUID(one) for one in ids]

    @needs("load")
    def test_every_loaded_row_is_like_the_template(self, store: Store) -> None:
        template = self.make_step(
            queue="other",
            priority=Priority.HIGH,
            correlation_id="c",
            search_key="s",
            description="d",
            retention=Retention.LONG,
        )
        ids = self._load(store, template, "1", "2")
        for step_id, state in zip(ids, ("1", "2"), strict=True):
            step = self.find(store, step_id)
            assert (step.state, step.status.value, step.execution_count) == (state, "ready", 0)
            for name in ("name", "queue", "priority", "correlation_id", "search_key"):
                assert getattr(step, name) == getattr(template, name)
            assert (step.description, step.retention) == ("d", Retention.LONG)

    @needs("load", "many flows")
    def test_a_template_that_is_its_own_flow_makes_flows(self, store: Store) -> None:
        template = self.make_step()
        own = Step(
            id=template.id,
            name=template.name,
            flow_id=template.id,
            created_at=template.created_at,
            schedule_time=template.schedule_time,
        )
        ids = self._load(store, own, "1", "2")
        assert [self.find(store, one).flow_id for one in ids] == ids

    @needs("load")
    def test_a_template_in_a_flow_keeps_its_rows_there(self, store: Store) -> None:
        template = self.make_step()
        ids = self._load(store, template, "1", "2")
        assert {self.find(store, one).flow_id for one in ids} == {template.flow_id}

    @needs("load")
    def test_loaded_rows_are_claimed_like_others(self, store: Store) -> None:
        engine = self.make_engine(store)
        ids = self._load(store, self.make_step(), *("{}" for _ in range(30)))
        assert {step.id for step in self.claim_all(store, engine)} == set(ids)

    @needs("load")
    def test_loaded_rows_wait_for_their_time(self, store: Store) -> None:
        engine = self.make_engine(store)
        self._load(store, self.make_step(schedule_time=ahead()), "1")
        assert self.claim(store, engine).steps == ()

    @needs("load")
    def test_any_text_is_a_state(self, store: Store) -> None:
        odd = ['"a\\tb"', "tab\there", "line\nbreak", "back\\slash", "\\N", '{"ä": "€"}', "\\."]
        ids = self._load(store, self.make_step(), *odd)
        assert [self.find(store, one).state for one in ids] == odd

    @needs("load")
    def test_nothing_is_loaded_where_there_is_nothing(self, store: Store) -> None:
        assert self._load(store, self.make_step()) == []

    @needs("load", "transactions")
    def test_a_load_that_breaks_off_leaves_nothing(self, store: Store) -> None:
        template = self.make_step()

        class Broken(Exception):
            pass

        def rows() -> Iterator[tuple[str, str]]:
            yield next(new_ids()), "1"
            raise Broken

        with pytest.raises(Broken), store.transaction() as tx:
            tx.load(template, rows())
        assert self.all_ids(store) == set()
