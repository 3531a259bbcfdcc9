"""Engines on real stores: memory and SQLite here; the crash tests add PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell import Registry
from stepwell.engine import heartbeat, suspects, worker
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is taken for dead, and nothing given up, because the machine stands still for a
    while: what is asserted of several engines at work holds as long as all of them live."""
    monkeypatch.setattr(heartbeat, "DEAD_AFTER", 1e6)
    monkeypatch.setattr(heartbeat, "FRESH", 1e6)
    monkeypatch.setattr(worker, "SETTLING", 90.0)
    monkeypatch.setattr(suspects, "QUARANTINE", 90.0)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, patient: None) -> Iterator[Store]:
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
