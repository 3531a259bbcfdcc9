"""A user's table beside the steps, on each database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore

EMPTY = """
    DELETE FROM stepwell_ready; DELETE FROM stepwell_done; DELETE FROM stepwell_failed;
    DELETE FROM stepwell_engines; DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS lines;
"""
INSERT = "INSERT INTO orders (place) VALUES (1)"


@dataclass
class Shop:
    """A store, and a table of the user's in its database."""

    open: Callable[[], Store]
    connect: Callable[[], Any]
    store: Store

    def run(self, sql: str) -> list[Any]:
        """Execute a statement of the user's own, and commit it."""
        with closing(self.connect()) as connection:
            cursor = connection.execute(sql)
            rows = list(cursor.fetchall()) if cursor.description else []
            connection.commit()
            return rows

    @property
    def orders(self) -> int:
        """How many rows the handlers have left."""
        return int(self.run("SELECT count(*) FROM orders")[0][0])


@pytest.fixture
def sqlite_shop(tmp_path: Path, patient: None) -> Iterator[Shop]:
    path = tmp_path / "shop.db"
    yield from _shop(lambda: SQLiteStore(path), lambda: sqlite3.connect(path))


@pytest.fixture
def postgres_shop(postgres_steps: str, patient: None) -> Iterator[Shop]:
    with psycopg.connect(postgres_steps) as connection:
        connection.execute(EMPTY)
    yield from _shop(lambda: PostgresStore(postgres_steps), lambda: psycopg.connect(postgres_steps))


def _shop(open_store: Callable[[], Store], connect: Callable[[], Any]) -> Iterator[Shop]:
    made = Shop(open_store, connect, store := open_store())
    store.migrate()
    made.run("CREATE TABLE orders (place integer)")
    yield made
    store.close()
