"""Which store objects belong to the database whose connection was lent (R26)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.engine.inside import forbid_outside, inside
from stepwell.errors import OutsideTransaction
from stepwell.stores import open_store
from stepwell.stores.memory import MemoryStore
from stepwell.stores.mysql import MySQLStore
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore

PAIRS: list[tuple[Store, Store]] = [
    (PostgresStore("postgresql://one@host/a"), PostgresStore("postgresql+psycopg://one@host/a")),
    (PostgresStore("postgresql://one@host/a"), open_store("postgresql://one@host/a")),
    (MySQLStore("mysql://one@host/a"), MySQLStore("mysql://one@host/a")),
    (SQLiteStore("a.db"), SQLiteStore(Path.cwd() / "a.db")),
]
OTHERS: list[Store] = [
    PostgresStore("postgresql://one@host/b"),
    MySQLStore("mysql://one@host/b"),
    SQLiteStore("b.db"),
    MemoryStore(),
]


@pytest.mark.parametrize(("lent", "same"), PAIRS)
def test_another_object_of_the_same_address_is_refused(lent: Store, same: Store) -> None:
    with inside(lent), pytest.raises(OutsideTransaction):
        forbid_outside(same)
    forbid_outside(same)


@pytest.mark.parametrize(("lent", "same"), PAIRS)
def test_another_database_is_not(lent: Store, same: Store) -> None:
    with inside(lent):
        for other in OTHERS:
            forbid_outside(other)
