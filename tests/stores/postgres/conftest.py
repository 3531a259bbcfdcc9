"""A store on an empty database of the module."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from stepwell.stores.postgres import PostgresStore

EMPTY = """
    DELETE FROM stepwell_ready; DELETE FROM stepwell_done; DELETE FROM stepwell_failed;
    DELETE FROM stepwell_engines; DROP TABLE IF EXISTS orders;
"""


@pytest.fixture
def store(postgres_steps: str) -> Iterator[PostgresStore]:
    """An open store without rows."""
    with psycopg.connect(postgres_steps) as connection:
        connection.execute(EMPTY)
    store = PostgresStore(postgres_steps)
    store.open()
    yield store
    store.close()
