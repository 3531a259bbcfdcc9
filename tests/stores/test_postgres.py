"""The PostgreSQL store keeps the contract, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from stepwell.stores import open_store
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract import StoreContract

EMPTY = """
    DELETE FROM stepwell_ready; DELETE FROM stepwell_done; DELETE FROM stepwell_failed;
    DELETE FROM stepwell_engines; DELETE FROM stepwell_controls; DROP TABLE IF EXISTS orders;
"""


class PostgresContract(StoreContract):
    """The contract, kept by the store at `address`."""

    @pytest.fixture(scope="class")
    def warm(self, address: str) -> Iterator[Store]:
        """One store for all tests, so that not each of them plans every statement anew."""
        store = open_store(address)
        yield store
        store.close()

    @pytest.fixture
    def store(self, warm: Store, postgres_steps: str) -> Store:
        with psycopg.connect(postgres_steps) as connection:
            connection.execute(EMPTY)
        warm.open()
        return warm

    def listens(self, store: Store) -> bool:
        assert isinstance(store, PostgresStore)
        return store._bell.listening

    @pytest.fixture
    def other_store(self, address: str) -> Iterator[Store]:
        other = open_store(address)
        yield other
        other.close()


@pytest.fixture(scope="module")
def address(postgres_steps: str) -> str:
    return postgres_steps


class TestPostgresStore(PostgresContract):
    @pytest.fixture
    def lend(self, postgres_steps: str) -> object:
        return lambda _store: closing(psycopg.connect(postgres_steps))
