"""Engines on real stores: memory and SQLite here; the crash tests add PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell import Registry
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh store with its schema."""
    made: Store
    made = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "steps.db")
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def registry() -> Registry:
    """An empty registry."""
    return Registry()
