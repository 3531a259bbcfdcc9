"""Rates per key (R20): steps begin no faster than that, on however many engines."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from uuid import UUID

from stepwell.step import Step
from stepwell.stores.protocol import Claimed, Store
from stepwell.testing.store_contract.base import (
    PATIENCE,
    Cut,
    Where,
    ago,
    ahead,
    needs,
    together,
)
from stepwell.testing.store_contract.controls import RATE
from stepwell.testing.store_contract.limits import EITHER, LimitsContract


class RatesContract(LimitsContract):
    """What holds of rows with a rate key."""

    @needs("set_control")
    def test_a_rate_that_nobody_set_holds_nothing_up(self, store: Store) -> None:
        self.some(store, 5, rate_key="smtp")
        assert len(self.limited(store, self.make_engine(store)).steps) == 5

    @needs("set_control")
    def test_a_rate_lets_one_row_go_per_interval(self, store: Store, other_store: Store) -> None:
        self.some(store, 3, rate_key="smtp")
        self.set_control(store, RATE, "smtp", slots=6, period=3600.0)
        first, second = self.make_engine(store), self.make_engine(store)
        claimed = self.limited(store, first)
        assert (len(claimed.steps), claimed.limited_due) == (1, False)
        assert claimed.next_due is not None
        assert claimed.steps[0].claimed_at is not None
        assert claimed.next_due - claimed.steps[0].claimed_at == timedelta(seconds=600)
        assert self.limited(other_store, second) == Claimed((), next_due=claimed.next_due)
        (control,) = self.all_controls(store)
        assert control.next_free_at == claimed.next_due

    @needs("set_control")
    def test_a_rate_that_is_raised_waits_for_one_new_interval_at_most(self, store: Store) -> None:
        self.some(store, 3, rate_key="smtp")
        self.set_control(store, RATE, "smtp", slots=1, period=3600.0)
        engine = self.make_engine(store)
        self.limited(store, engine)
        self.set_control(store, RATE, "smtp", slots=1, period=60.0)
        assert self._free_in(store, engine) <= 61
        self.set_control(store, RATE, "smtp", slots=1, period=3600.0)
        assert self._free_in(store, engine) <= 61
        self.drop_control(store, RATE, "smtp")
        assert len(self.limited(store, engine).steps) == 2

    def _free_in(self, store: Store, engine: UUID) -> float:
        claimed = self.limited(store, engine)
        assert claimed.steps == ()
        assert claimed.next_due is not None
        return (claimed.next_due - ago(0)).total_seconds()

    @needs("set_control")
    def test_a_row_with_both_keys_needs_both(self, store: Store) -> None:
        self.some(store, 1)
        self.some(store, 2, rate_key="smtp", limit_key="smtp")
        self.set_control(store, RATE, "smtp", slots=1, period=3600.0)
        engine = self.make_engine(store)
        (step,) = self.limited(store, engine).steps
        assert step.rate_key is None
        assert self.limited(store, engine) == Claimed()
        self.settle(store, engine, self.ending(step))
        (step,) = self.limited(store, engine).steps
        assert step.rate_key == "smtp"
        self.settle(store, engine, self.ending(step))
        assert self._free_in(store, engine) > 3000

    @needs("set_control")
    @EITHER
    def test_a_lost_claim_keeps_no_rate_closed_for_longer_than_its_interval(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        self.some(store, 1, rate_key="smtp")
        self.set_control(store, RATE, "smtp", slots=1, period=0.2)
        engine = self.make_engine(store)
        with cut(store, where):
            self.claim(store, engine, limited=True)
        with store.transaction() as tx:
            lost = tx.claimed(engine)
        self.release(store, engine, *lost)
        got = self._until(store, engine)
        assert len(got) == 1

    def _until(self, store: Store, engine: UUID, count: int = 1) -> list[Step]:
        """Limited claims until so many steps were given."""
        got: list[Step] = []
        end = ahead(PATIENCE)
        while len(got) < count and ago(0) < end:
            got += self.claim(store, engine, limited=True, limit=count - len(got)).steps
        return got

    @needs("set_control")
    def test_engines_that_claim_at_once_keep_the_rate(
        self, store: Store, other_store: Store
    ) -> None:
        spacing, count = 0.15, 5
        engines = [
            (one, self.make_engine(one, label), label)
            for one, label in zip((store, other_store) * 2, "abcd", strict=True)
        ]
        for *_, label in engines:
            self.add(store, *[self.make_step(label, rate_key="smtp") for _ in range(count)])
        self.set_control(store, RATE, "smtp", slots=1, period=spacing)
        times: list[datetime] = []
        while len(times) < count:
            calls = [partial(self.claim, *three, limited=True, limit=count) for three in engines]
            for claimed in together(*calls):
                assert isinstance(claimed, Claimed), claimed
                times += [step.claimed_at for step in claimed.steps if step.claimed_at]
        times.sort()  # a slow round may be long enough for two
        gaps = [later - sooner for sooner, later in pairwise(times)]
        assert min(gaps) >= timedelta(seconds=spacing)

    @needs("set_control")
    def test_a_fast_rate_is_kept_over_time(self, store: Store) -> None:
        self.some(store, 400, rate_key="smtp")
        self.set_control(store, RATE, "smtp", slots=200, period=1.0)
        engine = self.make_engine(store)
        (first, *_) = self._until(store, engine)
        got = self._until(store, engine, 100)
        assert first.claimed_at is not None
        assert got[-1].claimed_at is not None
        assert (got[-1].claimed_at - first.claimed_at).total_seconds() >= 0.35
