"""Wrong credentials are seen at the start, and not by steps that nobody runs (R24)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from stepwell import Engine, Registry, StepClient, new_step
from stepwell.errors import SetupError
from stepwell.stores.mysql import MySQLStore
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def wrong(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store that does not let us in: a user that does not exist, a file that is something else.

    Memory lets in everybody.
    """
    if request.param == "sqlite":
        path = tmp_path / "letter.db"
        path.write_text("Dear Ada, this is no database at all, whatever its name may say.")
        return SQLiteStore(path)
    if request.param == "mysql":
        address: str = request.getfixturevalue("mysql_steps")
        return MySQLStore(address.replace("//root@", "//nobody:guess@"))
    url: str = request.getfixturevalue("postgres_steps")
    with psycopg.connect(url) as connection:
        user = connection.info.user
    return PostgresStore(url.replace(f"//{user}:@", "//nobody:guess@"))


def test_wrong_credentials_are_seen_when_the_engine_starts(wrong: Store) -> None:
    engine = Engine(wrong, Registry())
    with pytest.raises(SetupError):
        engine.start()
    assert engine.id is None


def test_wrong_credentials_are_seen_by_the_first_step_that_is_added(wrong: Store) -> None:
    with pytest.raises(SetupError):
        StepClient(wrong).add(new_step("v1/x"))


def test_a_missing_schema_is_seen_when_the_engine_starts(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (id integer)")
    with pytest.raises(SetupError):
        Engine(SQLiteStore(path), Registry()).start()
