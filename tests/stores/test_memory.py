"""The memory store keeps the contract."""

from __future__ import annotations

import pytest

from stepwell.errors import StoreUnavailable
from stepwell.step import StepQuery
from stepwell.stores import memory
from stepwell.stores.memory import MemoryStore
from stepwell.testing.clock import VirtualClock
from stepwell.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    def test_its_time_is_the_clock_it_was_given(self) -> None:
        clock = VirtualClock()
        store = MemoryStore(clock)
        due = clock.advance(60)
        clock.set(due.replace(minute=0))
        step = self.added(store, schedule_time=due)
        engine = self.make_engine(store)
        assert self.claim(store, engine).next_due == due
        clock.advance(60)
        assert self.claim_one(store, engine).id == step.id

    def test_a_transaction_in_a_transaction_says_what_is_wrong(
        self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "LOCK_SECONDS", 0.05)
        with store.transaction() as tx:
            with pytest.raises(StoreUnavailable, match="open already"):
                self.added(store)
            assert tx.search(StepQuery()) == []
