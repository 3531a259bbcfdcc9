"""The SQLite store keeps the contract, on real files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from stepwell.errors import StoreUnavailable
from stepwell.stores.sqlite import SQLiteStore
from stepwell.stores.sqlite.statements import OwnStatements
from stepwell.testing.store_contract import Cut, StoreContract, Where, lost


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
    def cut(self) -> Cut:
        return cut_at_commit

    @pytest.fixture
    def lend(self, tmp_path: Path) -> object:
        return lambda _store: closing(sqlite3.connect(tmp_path / "steps.db"))


@contextmanager
def cut_at_commit(_store: object, where: Where) -> Iterator[None]:
    """Cut below the transaction, where the statement COMMIT is sent."""
    whole, seen = OwnStatements.commit, []

    def commit(statements: OwnStatements) -> None:
        seen.append(statements)
        if len(seen) > 1 or where == "after":
            whole(statements)
        if len(seen) == 1:
            raise lost(where)

    with patch.object(OwnStatements, "commit", commit), pytest.raises(StoreUnavailable):
        yield
