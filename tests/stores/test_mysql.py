"""The MySQL store keeps the contract, on a real MariaDB server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.stores.mysql.support import connect, empty

from stepwell.stores.mysql import MySQLStore
from stepwell.testing.store_contract import StoreContract


@pytest.fixture(scope="module")
def warm(mysql_steps: str) -> Iterator[MySQLStore]:
    """One store for all tests, so that not each of them connects anew."""
    store = MySQLStore(mysql_steps)
    yield store
    store.close()


class TestMySQLStore(StoreContract):
    @pytest.fixture
    def store(self, warm: MySQLStore, mysql_steps: str) -> MySQLStore:
        empty(mysql_steps)
        warm.open()
        return warm

    @pytest.fixture
    def other_store(self, mysql_steps: str) -> Iterator[MySQLStore]:
        other = MySQLStore(mysql_steps)
        yield other
        other.close()

    @pytest.fixture
    def lend(self, mysql_steps: str) -> object:
        return lambda _store: closing(connect(mysql_steps))
