"""A store on an empty database of the module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.stores.mysql.support import empty

from stepwell.stores.mysql import MySQLStore


@pytest.fixture
def store(mysql_steps: str) -> Iterator[MySQLStore]:
    """An open store without rows."""
    empty(mysql_steps)
    store = MySQLStore(mysql_steps)
    store.open()
    yield store
    store.close()
