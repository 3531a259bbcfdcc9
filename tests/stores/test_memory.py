"""The memory store keeps the contract."""

from __future__ import annotations

import pytest

from stepwell.stores.memory import MemoryStore
from stepwell.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
