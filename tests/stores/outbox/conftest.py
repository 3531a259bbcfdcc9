"""A database with Stepwell's tables and one of the caller's, and a handle on its steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from tests.stores.outbox.kinds import ON_POSTGRES, ON_SQLITE, Kind

from stepwell import StepClient
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore

EMPTY = """
    SET lock_timeout = '90s';
    DELETE FROM stepwell_ready; DELETE FROM stepwell_done; DELETE FROM stepwell_failed;
    DELETE FROM stepwell_engines;
    DROP TABLE IF EXISTS orders; CREATE TABLE orders (id integer);
"""


@dataclass(frozen=True)
class Shop:
    """One kind of connection, and the database that it is to."""

    kind: Kind
    url: str
    store: Store

    @property
    def steps(self) -> StepClient:
        return StepClient(self.store)

    def orders(self) -> int:
        """How many rows of the caller's were committed."""
        query = "SELECT count(*) FROM orders"
        if isinstance(self.store, PostgresStore):
            with psycopg.connect(self.url) as mine:
                (count,) = mine.execute(query).fetchone() or (0,)
        else:
            with closing(sqlite3.connect(self.url)) as own:
                (count,) = own.execute(query).fetchone()
        return int(count)


@pytest.fixture(params=list(ON_SQLITE.values()), ids=list(ON_SQLITE))
def shop_on_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with _on_sqlite(request.param, tmp_path / "shop.db") as shop:
        yield shop


@pytest.fixture(params=list(ON_POSTGRES.values()), ids=list(ON_POSTGRES))
def shop_on_postgres(request: pytest.FixtureRequest, postgres_steps: str) -> Iterator[Shop]:
    with _on_postgres(request.param, postgres_steps) as shop:
        yield shop


@pytest.fixture
def shop_on_database(postgres_steps: str) -> Iterator[Shop]:
    """On PostgreSQL, for tests that say themselves what they connect with."""
    with _on_postgres(ON_POSTGRES["asyncpg"], postgres_steps) as shop:
        yield shop


@pytest.fixture(params=[*ON_SQLITE, *ON_POSTGRES])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A test that takes it runs with every kind of connection."""
    if request.param in ON_SQLITE:
        made = _on_sqlite(ON_SQLITE[request.param], tmp_path / "shop.db")
    else:
        url = request.getfixturevalue("postgres_steps")
        made = _on_postgres(ON_POSTGRES[request.param], url)
    with made as shop:
        yield shop


@contextmanager
def _on_sqlite(kind: Kind, path: Path) -> Iterator[Shop]:
    store = SQLiteStore(path)
    store.migrate()
    with closing(sqlite3.connect(path)) as mine:
        mine.execute("CREATE TABLE orders (id integer)")
    yield Shop(kind, str(path), store)
    store.close()


@contextmanager
def _on_postgres(kind: Kind, url: str) -> Iterator[Shop]:
    with psycopg.connect(url) as mine:
        mine.execute(EMPTY)
    store = PostgresStore(url)
    yield Shop(kind, url, store)
    store.close()
