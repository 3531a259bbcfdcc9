"""The PostgreSQL store keeps the contract through PgBouncer in transaction mode, too (R25)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import psycopg
import pytest
from tests.servers import PgBouncer
from tests.stores.test_postgres import PostgresContract

from stepwell.errors import SetupError
from stepwell.stores import open_store
from stepwell.stores.addresses import split_pooling


@pytest.fixture(scope="module")
def address(postgres_url: str, postgres_steps: str) -> Iterator[str]:
    """That of the pooler, with the direct one for notifications."""
    pooler = PgBouncer(postgres_url)
    database = psycopg.conninfo.conninfo_to_dict(postgres_steps)["dbname"]
    direct = quote(postgres_steps, safe="")
    yield f"{pooler.url(str(database))}&pooler=1&notify_url={direct}"
    pooler.stop()


class TestPostgresStoreBehindPgBouncer(PostgresContract):
    @pytest.fixture
    def lend(self, address: str) -> object:
        direct, _ = split_pooling(address)
        return lambda _store: closing(psycopg.connect(direct, prepare_threshold=None))


def test_tables_are_made_through_the_pooler(address: str) -> None:
    with closing(open_store(address)) as store:
        assert store.migrate() == []


def test_a_pooler_that_the_address_does_not_tell_of_is_recognised(address: str) -> None:
    alone, _ = split_pooling(address)
    with closing(open_store(alone)) as store, pytest.raises(SetupError, match="pooler=1"):
        store.open()


def test_without_an_address_for_notifications_an_engine_looks_once_a_second(address: str) -> None:
    alone, _ = split_pooling(address)
    with closing(open_store(f"{alone}&pooler=1")) as store:
        store.open()
        wake = store.wake()
        assert not wake.wait(0.05)
        assert wake.wait(1.5)
        wake.close()
