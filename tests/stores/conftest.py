"""Stores and rows for the tests of one store's own ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell.stores.sqlite import SQLiteStore


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """Where the database is, or will be."""
    return tmp_path / "steps.db"


@pytest.fixture
def sqlite_store(sqlite_path: Path) -> Iterator[SQLiteStore]:
    """A migrated store without steps."""
    store = SQLiteStore(sqlite_path)
    store.migrate()
    store.open()
    yield store
    store.close()
