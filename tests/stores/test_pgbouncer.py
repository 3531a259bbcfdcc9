"""The PostgreSQL store keeps the contract through PgBouncer in transaction mode, too (R25)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import psycopg
import pytest
from tests.servers import PgBouncer
from tests.stores.test_postgres import EMPTY

from stepwell.errors import SetupError
from stepwell.stores import Store, open_store
from stepwell.stores.addresses import split_pooling
from stepwell.stores.postgres import PostgresStore
from stepwell.testing.store_contract import StoreContract


@pytest.fixture(scope="module")
def pooled(postgres_url: str, postgres_steps: str) -> Iterator[str]:
    """The address behind the pooler, with the direct one for notifications."""
    pooler = PgBouncer(postgres_url)
    database = psycopg.conninfo.conninfo_to_dict(postgres_steps)["dbname"]
    direct = quote(postgres_steps, safe="")
    yield f"{pooler.url(str(database))}&pooler=1&notify_url={direct}"
    pooler.stop()


@pytest.fixture(scope="module")
def warm(pooled: str) -> Iterator[Store]:
    """One store for all tests."""
    store = open_store(pooled)
    yield store
    store.close()


class TestPostgresStoreBehindPgBouncer(StoreContract):
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
    def other_store(self, pooled: str) -> Iterator[Store]:
        other = open_store(pooled)
        yield other
        other.close()

    @pytest.fixture
    def lend(self, pooled: str) -> object:
        address, _ = split_pooling(pooled)
        return lambda _store: closing(psycopg.connect(address, prepare_threshold=None))


def test_tables_are_made_through_the_pooler(pooled: str) -> None:
    with closing(open_store(pooled)) as store:
        assert store.migrate() == []


def test_a_pooler_that_the_address_does_not_tell_of_is_recognised(pooled: str) -> None:
    address, _ = split_pooling(pooled)
    with closing(open_store(address)) as store, pytest.raises(SetupError, match="pooler=1"):
        store.open()


def test_without_an_address_for_notifications_an_engine_looks_once_a_second(pooled: str) -> None:
    address, _ = split_pooling(pooled)
    with closing(open_store(f"{address}&pooler=1")) as store:
        store.open()
        wake = store.wake()
        assert not wake.wait(0.05)
        assert wake.wait(1.5)
        wake.close()
