"""First contact, migrations, and tables that people can read (R22, R24, R44)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pymysql
import pytest
from tests.servers import MariaDB
from tests.stores.mysql.support import connect
from tests.stores.postgres.support import add, make

from stepwell.errors import (
    SchemaMissing,
    SchemaTooNew,
    SettlementRejected,
    SetupError,
    StoreUnavailable,
)
from stepwell.step import StepQuery
from stepwell.stores import open_store
from stepwell.stores.columns import COLUMNS
from stepwell.stores.mysql import MySQLStore, schema
from stepwell.stores.mysql.connections import _check_version
from stepwell.stores.mysql.sql import MIGRATIONS
from stepwell.testing.store_contract.base import sql


@pytest.fixture
def admin(mysql_steps: str) -> Iterator[pymysql.Connection]:
    with closing(connect(mysql_steps, autocommit=True)) as connection:
        yield connection


# -- first contact -----------------------------------------------------------------------------


def test_an_empty_database_is_told_to_migrate(mysql_database: Callable[[], str]) -> None:
    with closing(MySQLStore(mysql_database())) as store:
        with pytest.raises(SchemaMissing, match="stepwell migrate"):
            store.open()
        with pytest.raises(SchemaMissing), store.transaction():
            pass


def test_a_wrong_password_is_seen_at_the_start(mysql_server: MariaDB) -> None:
    with closing(mysql_server.admin()) as admin:
        sql(admin, "CREATE OR REPLACE USER shop@localhost IDENTIFIED BY 'right'")
    url = mysql_server.url("mysql").replace("root@", "shop:wrong@")
    with pytest.raises(SetupError, match="Check user and password"):
        MySQLStore(url).open()


def test_a_user_without_the_database_is_seen_at_the_start(
    mysql_server: MariaDB, mysql_steps: str
) -> None:
    with closing(mysql_server.admin()) as admin:
        sql(admin, "CREATE OR REPLACE USER `a b`@localhost IDENTIFIED BY 'p@ß/:'")
    url = mysql_steps.replace("root@", "a%20b:p%40%C3%9F%2F%3A@")
    with pytest.raises(SetupError, match="Grant the user this database"):
        MySQLStore(url).open()


def test_an_unknown_database_is_seen_at_the_start(mysql_server: MariaDB) -> None:
    with pytest.raises(SetupError, match="CREATE DATABASE"):
        MySQLStore(mysql_server.url("nowhere")).open()


def test_an_unknown_host_is_seen_at_the_start() -> None:
    with pytest.raises(SetupError, match="host name"):
        MySQLStore("mysql://root@nowhere.invalid/steps").open()


def test_a_server_that_does_not_answer_is_a_pause() -> None:
    with pytest.raises(StoreUnavailable):
        MySQLStore("mysql://root@127.0.0.1:1/steps").open()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://root@host", "no database"),
        ("mysql://root@host/db?charset=latin1", "charset"),
        ("mysql://root@host:port/db", "port"),
    ],
)
def test_an_address_that_cannot_be_read_says_why(url: str, why: str) -> None:
    with pytest.raises(SetupError, match=why):
        open_store(url)


@pytest.mark.parametrize("version", ["5.5.5-10.5.9-MariaDB-log", "8.0.11", "5.7.44-log"])
def test_a_server_that_cannot_skip_locked_rows_is_refused(version: str) -> None:
    with pytest.raises(SetupError, match="or newer"):
        _check_version(version)


@pytest.mark.parametrize("version", ["5.5.5-10.11.6-MariaDB", "11.4.2-MariaDB", "8.0.36", "9.1.0"])
def test_newer_servers_are_taken(version: str) -> None:
    _check_version(version)


# -- migrations --------------------------------------------------------------------------------


def test_an_interrupted_migration_is_taken_up(mysql_database: Callable[[], str]) -> None:
    url = mysql_database()
    with closing(connect(url, autocommit=True)) as admin:
        for statement in list(schema._statements(MIGRATIONS[0]))[:2]:
            sql(admin, statement)
    with closing(MySQLStore(url)) as store:
        with pytest.raises(SchemaMissing):
            store.open()
        assert store.migrate() == [migration.name for migration in MIGRATIONS]
        assert store.migrate() == []
        store.open()
        assert add(store, make()) == [True]


def test_older_and_newer_tables_are_told(mysql_database: Callable[[], str]) -> None:
    url = mysql_database()
    MySQLStore(url).migrate()
    for version, error in (("0", SchemaMissing), ("99", SchemaTooNew)):
        with closing(connect(url, autocommit=True)) as admin:
            sql(admin, f"UPDATE stepwell_meta SET value = '{version}'")
        with pytest.raises(error), closing(MySQLStore(url)) as store:
            store.open()
    with pytest.raises(SchemaTooNew), closing(MySQLStore(url)) as store:
        store.migrate()


def test_newer_tables_that_only_have_more_are_worked_with(
    mysql_database: Callable[[], str],
) -> None:
    """They say so themselves: `schema_floor` is the oldest version that they suit."""
    url = mysql_database()
    with closing(MySQLStore(url)) as store:
        store.migrate()
        with closing(connect(url, autocommit=True)) as admin:
            sql(admin, "UPDATE stepwell_meta SET value = '99'")
            sql(admin, "INSERT INTO stepwell_meta VALUES ('schema_floor', '1')")
        store.open()
        assert store.migrate() == []


def test_all_three_tables_have_the_steps_columns(admin: pymysql.Connection) -> None:
    for status in ("ready", "done", "failed"):
        rows = sql(admin, f"SHOW COLUMNS FROM stepwell_{status}")
        assert tuple(row[0] for row in rows)[: len(COLUMNS)] == COLUMNS


# -- rows --------------------------------------------------------------------------------------


def test_rows_can_be_read_with_plain_sql(store: MySQLStore, admin: pymysql.Connection) -> None:
    step = make(state='{"text":"Grüße 🌍"}', search_key="customer-7")
    add(store, step)
    query = f"SELECT status, name FROM stepwell_steps WHERE id = '{step.id}'"
    assert sql(admin, query) == [("ready", step.name)]
    ((text, created),) = sql(
        admin,
        "SELECT JSON_VALUE(state, '$.text'), created_at FROM stepwell_ready"
        " WHERE search_key = 'customer-7'",
    )
    assert (text, created) == ("Grüße 🌍", step.created_at.replace(tzinfo=None))


@pytest.mark.parametrize("twin", ["KEY", "key ", "kéy"])
def test_keys_are_compared_byte_by_byte(store: MySQLStore, twin: str) -> None:
    one, other = make(unique_key="key"), make(unique_key=twin)
    assert add(store, one, other) == [True, True]
    with store.transaction() as tx:
        assert [step.id for step in tx.search(StepQuery(unique_key=twin))] == [other.id]


@pytest.mark.parametrize(
    "fields",
    [
        {"unique_key": "k" * 501},
        {"search_key": "s" * 501},
        {"retention": 7},
        {"description": "\ud800"},
        {"state_format": "f" * 200},
    ],
)
def test_what_a_column_cannot_keep_is_refused(store: MySQLStore, fields: dict[str, Any]) -> None:
    with pytest.raises(SettlementRejected):
        add(store, make(), make(**fields))
    with store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 0


def test_the_longest_name_and_key_fit(store: MySQLStore) -> None:
    step = make(name="🌍" * 200, unique_key="🌍" * 500, queue="🌍" * 200)
    assert add(store, step) == [True]
    with store.transaction() as tx:
        assert tx.search(StepQuery(unique_key=step.unique_key)) == [step]


def test_a_user_who_may_not_write_is_told(mysql_server: MariaDB, mysql_steps: str) -> None:
    user, database = f"reader_{uuid4().hex[:8]}", urlsplit(mysql_steps).path[1:]
    with closing(mysql_server.admin()) as admin:
        sql(admin, f"CREATE USER {user}@localhost")
        sql(admin, f"GRANT SELECT ON {database}.* TO {user}@localhost")
    store = MySQLStore(mysql_steps.replace("root@", f"{user}@"))
    with closing(store), pytest.raises(SetupError, match="Grant it"):
        add(store, make())
