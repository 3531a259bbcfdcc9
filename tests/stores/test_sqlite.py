"""The SQLite store keeps the contract, on real files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stepwell.stores.sqlite import SQLiteStore
from stepwell.testing.store_contract import StoreContract


class TestSQLiteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SQLiteStore]:
        store = SQLiteStore(tmp_path / "steps.db")
        store.migrate()
        store.open()
        yield store
        store.close()

    @pytest.fixture
    def other_store(self, tmp_path: Path, store: SQLiteStore) -> Iterator[SQLiteStore]:
        other = SQLiteStore(tmp_path / "steps.db")
        yield other
        other.close()

    @pytest.fixture
    def lend(self, tmp_path: Path) -> object:
        return lambda _store: closing(sqlite3.connect(tmp_path / "steps.db"))
