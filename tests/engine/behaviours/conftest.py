"""The behaviours that the .NET original states by its own tests, each stated here on each store.

| what is stated | where |
| --- | --- |
| a step with initial state sees it | test_running |
| failing by exception: the description, without and with new steps | test_running |
| an ordinary exception reruns the step with its state unchanged | test_running |
| the first execution has the count 1; a rerun keeps the row and counts | test_running |
| a new step inherits flow and correlation, and may change the latter | test_running |
| a step in the future does not run; it can be activated, with arguments | test_running |
| a step without an implementation stays ready, with a reason | test_running |
| two parallel steps join in a third that waits for both | test_running |
| two steps added in one outer transaction both run | test_adding |
| two identical singletons: at once, one after another, add-if-none | test_adding |
| re-execution makes a new ready step with all that R7 names | test_adding |
| search by each field, and by several; counts per flow | test_searching |
| wrong credentials are seen at the start (R24) | test_starting; more in tests/stores |
| one step reruns again and again while the others find work | test_pace |
| an idle engine does not poll more than its limit | test_pace |
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from tests.stores.mysql.support import connect, empty

from stepwell.stores.memory import MemoryStore
from stepwell.stores.mysql import MySQLStore
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore

Lend: TypeAlias = Callable[[], AbstractContextManager[Any]]
"""A connection of the user's own to the store's database; what was done is committed."""

EMPTY = """
    DELETE FROM stepwell_ready; DELETE FROM stepwell_done; DELETE FROM stepwell_failed;
    DELETE FROM stepwell_engines;
"""


@pytest.fixture(params=["memory", "sqlite", "postgres", "mysql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which store the behaviour is seen on."""
    return str(request.param)


@pytest.fixture
def store(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, patient: None
) -> Iterator[Store]:
    """A store with its schema and without rows."""
    made: Store
    match kind:
        case "memory":
            made = MemoryStore()
        case "sqlite":
            made = SQLiteStore(tmp_path / "steps.db")
        case "mysql":
            address: str = request.getfixturevalue("mysql_steps")
            empty(address)
            made = MySQLStore(address)
        case _:
            url: str = request.getfixturevalue("postgres_steps")
            with psycopg.connect(url) as connection:
                connection.execute(EMPTY)
            made = PostgresStore(url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def lend(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Lend:
    """Lends connections to the database of `store`; memory has none to lend."""
    if kind == "memory":
        pytest.skip("a store in memory has no connection")
    if kind == "sqlite":
        return lambda: _committed(sqlite3.connect(tmp_path / "steps.db"))
    if kind == "mysql":
        address: str = request.getfixturevalue("mysql_steps")
        return lambda: _committed_by_hand(connect(address))
    url: str = request.getfixturevalue("postgres_steps")
    return lambda: _committed(psycopg.connect(url))


@contextmanager
def _committed(connection: Any) -> Iterator[Any]:
    with closing(connection), connection:
        yield connection


@contextmanager
def _committed_by_hand(connection: Any) -> Iterator[Any]:
    """PyMySQL's own block closes, and commits nothing."""
    with closing(connection):
        yield connection
        connection.commit()
