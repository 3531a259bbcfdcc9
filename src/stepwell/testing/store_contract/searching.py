"""Search: every field, ranges, pages, and counts."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from stepwell.ids import new_id
from stepwell.step import EndedAs, Priority, Retention, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Counts, Store
from stepwell.testing.store_contract.base import ContractBase, ago, ahead, needs

_SOURCE = new_id()
FIELDS: list[dict[str, Any]] = [
    {"queue": "mail"},
    {"priority": Priority.URGENT},
    {"unique_key": ""},
    {"correlation_id": "order-7"},
    {"search_key": "customer-7"},
    {"created_by_step_id": _SOURCE},
    {"copy_of": _SOURCE},
    {"retention": Retention.LONG},
    {"fingerprint": "TimeoutError at shop.py:12"},
    {"state_format": "text"},
]
WITH_TEXT = ["description", "state", "activation_args", "result"]
WITH_PREFIX = ["search_key", "correlation_id"]
COUNTED = ["execution_count", "failure_count", "lost_count"]


class SearchingContract(ContractBase):
    """What holds of search and count."""

    @pytest.mark.parametrize("field", FIELDS, ids=[next(iter(field)) for field in FIELDS])
    def test_a_field_finds_its_steps_alone(self, store: Store, field: dict[str, Any]) -> None:
        wanted = self.added(store, **field)
        self.added(store)
        assert self.all_ids(store, **field) == {wanted.id}
        assert self._count(store, **field) == Counts(ready=1)

    def test_an_empty_query_finds_all(self, store: Store) -> None:
        steps = self._one_of_each(store)
        assert self.all_ids(store) == {step.id for step in steps}
        assert self._count(store) == Counts(ready=1, done=1, failed=1)

    def test_steps_are_found_by_name_and_prefix(self, store: Store) -> None:
        one, other = self.added(store, "mail/send"), self.added(store, "mail/fetch")
        self.added(store, "sms/send")
        assert self.all_ids(store, name=one.name) == {one.id}
        assert self.all_ids(store, name_prefix=self.name("mail/")) == {one.id, other.id}

    @pytest.mark.parametrize("prefix", ["50%", "a_b", "x*", "x?", "[x]", "\\"])
    def test_a_prefix_is_text_and_no_pattern(self, store: Store, prefix: str) -> None:
        kinds = dict.fromkeys(WITH_PREFIX, f"{prefix} off")
        kinds |= dict.fromkeys(WITH_TEXT, f"by {prefix}!")
        wanted = self.added(store, **kinds)
        others = dict.fromkeys(WITH_PREFIX, "50 aXb xx a off")
        self.added(store, **others | dict.fromkeys(WITH_TEXT, "by 50 aXb xx a!"))
        self.added(store)
        for name in WITH_PREFIX:
            assert self.all_ids(store, **{f"{name}_prefix": prefix}) == {wanted.id}
        for name in WITH_TEXT:
            assert self.all_ids(store, **{f"{name}_contains": prefix}) == {wanted.id}

    @needs("many flows")
    def test_steps_are_found_by_flow(self, store: Store) -> None:
        wanted = self.added(store)
        self.added(store)
        assert self.all_ids(store, flow_id=wanted.flow_id) == {wanted.id}

    def test_steps_are_found_by_ids(self, store: Store) -> None:
        one, other = self.added(store), self.added(store)
        self.added(store)
        assert self.all_ids(store, ids=(one.id, other.id, new_id())) == {one.id, other.id}
        assert self.all_ids(store, ids=()) == set()

    @pytest.mark.parametrize("status", StepStatus)
    def test_steps_are_found_by_status(self, store: Store, status: StepStatus) -> None:
        steps = {step.status: step.id for step in self._one_of_each(store)}
        assert self.all_ids(store, status=status) == {steps[status]}
        fields: dict[str, Any] = {status.value: 1}
        assert self._count(store, status=status) == replace(Counts(), **fields)

    def test_steps_are_found_by_how_they_ended(self, store: Store) -> None:
        steps = {step.ended_as: step.id for step in self._one_of_each(store)}
        for ended_as in (EndedAs.DONE, EndedAs.FAILED):
            assert self.all_ids(store, ended_as=ended_as) == {steps[ended_as]}
        assert self.all_ids(store, ended_as=EndedAs.SKIPPED) == set()

    def test_steps_are_found_by_who_ran_them(self, store: Store) -> None:
        self._one_of_each(store)
        assert len(self.all_ids(store, executed_by="contract")) == 2
        assert self.all_ids(store, executed_by="nobody") == set()

    def test_claimed_means_in_an_engines_hands_now(self, store: Store) -> None:
        waiting, done, failed = self._one_of_each(store)
        held = self.added(store)
        self.claim_one(store, self.make_engine(store))
        assert self.all_ids(store, claimed=True) == {held.id}
        assert self.all_ids(store, claimed=False) == {waiting.id, done.id, failed.id}

    def test_ranges_of_time_are_half_open(self, store: Store) -> None:
        first, second, third = ago(30), ago(20), ago(10)
        rows = [
            self.added(store, created_at=time, schedule_time=time)
            for time in (first, second, third)
        ]
        for kind in ("created", "scheduled"):
            span = {f"{kind}_from": first, f"{kind}_to": third}
            assert self.all_ids(store, **span) == {rows[0].id, rows[1].id}
            assert self.all_ids(store, **{f"{kind}_from": third}) == {rows[2].id}

    def test_the_time_of_the_end_finds_ended_steps_alone(self, store: Store) -> None:
        _, done, failed = self._one_of_each(store)
        assert self.all_ids(store, ended_from=ago(60)) == {done.id, failed.id}
        assert self.all_ids(store, ended_to=ahead()) == {done.id, failed.id}
        assert self.all_ids(store, ended_from=ahead()) == set()
        assert done.ended_at is not None
        assert done.id not in self.all_ids(store, ended_to=done.ended_at)

    @pytest.mark.parametrize("name", COUNTED)
    def test_ranges_of_counts_are_half_open(self, store: Store, name: str) -> None:
        counts: list[dict[str, Any]] = [{name: count} for count in (0, 1, 2)]
        rows = [self.added(store, **fields) for fields in counts]
        assert self.all_ids(store, **{f"{name}_from": 1}) == {rows[1].id, rows[2].id}
        assert self.all_ids(store, **{f"{name}_to": 1}) == {rows[0].id}
        assert self.all_ids(store, **{f"{name}_from": 1, f"{name}_to": 2}) == {rows[1].id}

    def test_steps_are_found_by_when_and_how_long_they_ran(self, store: Store) -> None:
        _, done, failed = self._one_of_each(store)
        ran = {done.id, failed.id}
        assert self.all_ids(store, started_from=ago(60)) == ran
        assert self.all_ids(store, started_to=ago(60)) == set()
        assert self.all_ids(store, duration_from=0.25) == ran
        assert self.all_ids(store, duration_to=0.25) == set()
        assert self.all_ids(store, duration_from=0.1, duration_to=0.3) == ran

    def test_each_field_of_many_narrows(self, store: Store) -> None:
        """Steps that lack one of the fields are not found, whichever it is."""
        fields = {name: value for one in FIELDS for name, value in one.items()}
        del fields["unique_key"]
        wanted = self.added(store, **fields)
        for left_out in fields:
            self.added(store, **{name: fields[name] for name in fields if name != left_out})
        assert self.all_ids(store, **fields) == {wanted.id}

    def test_all_fields_narrow(self, store: Store) -> None:
        wanted = self.added(store, search_key="a", correlation_id="b")
        self.added(store, search_key="a")
        self.added(store, correlation_id="b")
        assert self.all_ids(store, search_key="a", correlation_id="b") == {wanted.id}

    @pytest.mark.parametrize("oldest_first", [False, True])
    def test_pages_go_by_id_and_miss_nothing(self, store: Store, oldest_first: bool) -> None:
        steps = [*self._one_of_each(store), *(self.added(store) for _ in range(4))]
        pages = self._pages(store, oldest_first=oldest_first, limit=3)
        assert [len(page) for page in pages] == [3, 3, 1]
        found = [step_id for page in pages for step_id in page]
        assert found == sorted((step.id for step in steps), reverse=not oldest_first)

    def test_a_count_does_not_stop_at_the_page(self, store: Store) -> None:
        steps = [self.added(store) for _ in range(5)]
        assert self._count(store, limit=2, after=steps[2].id) == Counts(ready=5)

    def test_a_count_may_stop_and_says_so(self, store: Store) -> None:
        for _ in range(3):
            self.added(store, search_key="a")
        with store.transaction() as tx:
            few = tx.count(StepQuery(search_key="a"), 2)
            assert few == Counts(ready=2, more=(StepStatus.READY,))
            assert tx.count(StepQuery(search_key="a"), 3) == Counts(ready=3)

    def test_a_count_of_all_may_be_an_estimate_and_says_so(self, store: Store) -> None:
        for _ in range(3):
            self.added(store)
        with store.transaction() as tx:
            few = tx.count(StepQuery(), 2)
        marked = few.more if few.ready == 2 else few.estimated
        assert few.ready >= 2
        assert (*few.more, *few.estimated) == marked == (StepStatus.READY,)

    def test_a_search_gives_whole_rows(self, store: Store) -> None:
        step = self.added(store, search_key="a", state='{"x":[1,2]}')
        with store.transaction() as tx:
            assert tx.search(StepQuery(search_key="a")) == [step]

    def _one_of_each(self, store: Store) -> tuple[Step, Step, Step]:
        """A ready step in the future, a done one and a failed one."""
        self.add(store, self.make_step(), self.make_step())
        engine = self.make_engine(store)
        done, failed = self.claim(store, engine).steps
        ends = [self.ending(done), self.ending(failed, ended_as=EndedAs.FAILED)]
        self.settle(store, engine, *ends)
        ready = self.added(store, schedule_time=ahead())
        return ready, self.find(store, done), self.find(store, failed)

    def _pages(self, store: Store, **fields: Any) -> list[list[UUID]]:
        pages: list[list[UUID]] = []
        after: UUID | None = None
        while True:
            with store.transaction() as tx:
                page = [step.id for step in tx.search(StepQuery(after=after, **fields))]
            if not page:
                return pages
            pages.append(page)
            after = page[-1]

    def _count(self, store: Store, **fields: Any) -> Counts:
        with store.transaction() as tx:
            return tx.count(StepQuery(**fields))
