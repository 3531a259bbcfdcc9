"""The PostgreSQL store keeps the contract, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract import StoreContract

EMPTY = """
    DELETE FROM stepwell_ready; DELETE FROM stepwell_done; DELETE FROM stepwell_failed;
    DELETE FROM stepwell_engines; DELETE FROM stepwell_controls; DROP TABLE IF EXISTS orders;
"""


@pytest.fixture(scope="module")
def warm(postgres_steps: str) -> Iterator[PostgresStore]:
    """One store for all tests, so that not each of them plans every statement anew."""
    store = PostgresStore(postgres_steps)
    yield store
    store.close()


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def store(self, warm: PostgresStore, postgres_steps: str) -> PostgresStore:
        with psycopg.connect(postgres_steps) as connection:
            connection.execute(EMPTY)
        warm.open()
        return warm

    def listens(self, store: Store) -> bool:
        assert isinstance(store, PostgresStore)
        return store._bell.listening

    @pytest.fixture
    def other_store(self, postgres_steps: str) -> Iterator[PostgresStore]:
        other = PostgresStore(postgres_steps)
        yield other
        other.close()

    @pytest.fixture
    def lend(self, postgres_steps: str) -> object:
        return lambda _store: closing(psycopg.connect(postgres_steps))
