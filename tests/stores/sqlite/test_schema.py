"""The first contact with a file, its migrations, and the tables in it (R22, R23, R24, R44)."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from stepwell.clock import now
from stepwell.errors import SchemaMissing, SchemaTooNew, SetupError, StepwellError
from stepwell.ids import new_id
from stepwell.step import Addition, Step, StepQuery
from stepwell.stores.protocol import EngineInfo
from stepwell.stores.sqlite import SQLiteStore
from stepwell.stores.sqlite.sql import MIGRATIONS
from stepwell.testing.store_contract.base import together

TABLES = ("stepwell_ready", "stepwell_done", "stepwell_failed")


def run(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


def test_a_missing_file_fails_at_once_and_is_not_created(sqlite_path: Path) -> None:
    with pytest.raises(SchemaMissing, match=r"stepwell migrate.*store\.migrate\(\)"):
        SQLiteStore(sqlite_path).open()
    assert not sqlite_path.exists()


def test_a_file_without_tables_fails_at_once(sqlite_path: Path) -> None:
    run(sqlite_path, "CREATE TABLE orders (id integer)")
    with pytest.raises(SchemaMissing, match="Nothing was migrated yet"):
        SQLiteStore(sqlite_path).open()


def test_an_older_schema_is_named_with_both_versions(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    run(sqlite_path, "UPDATE stepwell_meta SET value = '0' WHERE key = 'schema_version'")
    with pytest.raises(SchemaMissing):
        sqlite_store.open()


def test_a_newer_schema_is_refused_and_left_alone(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    run(sqlite_path, "UPDATE stepwell_meta SET value = '999' WHERE key = 'schema_version'")
    for contact in (sqlite_store.open, sqlite_store.migrate):
        with pytest.raises(SchemaTooNew, match="Upgrade Stepwell"):
            contact()
    assert run(sqlite_path, "SELECT value FROM stepwell_meta") == [("999",)]


def test_a_newer_schema_that_only_has_more_is_worked_with_and_left_alone(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    """It says so itself: `schema_floor` is the oldest version that it suits."""
    run(sqlite_path, "UPDATE stepwell_meta SET value = '999' WHERE key = 'schema_version'")
    run(sqlite_path, "INSERT INTO stepwell_meta (key, value) VALUES ('schema_floor', '2')")
    sqlite_store.open()
    assert sqlite_store.migrate() == []
    query = "SELECT value FROM stepwell_meta WHERE key = 'schema_version'"
    assert run(sqlite_path, query) == [("999",)]
    run(sqlite_path, "UPDATE stepwell_meta SET value = '998' WHERE key = 'schema_floor'")
    with pytest.raises(SchemaTooNew):
        sqlite_store.open()


def test_a_file_that_is_no_database_is_not_touched(sqlite_path: Path) -> None:
    sqlite_path.write_text("These are my notes. " * 100)
    for contact in (SQLiteStore(sqlite_path).open, SQLiteStore(sqlite_path).migrate):
        with pytest.raises(SetupError, match="not a SQLite database"):
            contact()
    assert sqlite_path.read_text().startswith("These are my notes.")


@pytest.mark.parametrize("place", ["missing/steps.db", "."])
def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path, place: str) -> None:
    store = SQLiteStore(tmp_path / place)
    for contact in (store.open, store.migrate):
        with pytest.raises(SetupError, match="cannot be a database file"):
            contact()


def test_migrating_tells_what_it_applied(sqlite_path: Path) -> None:
    store = SQLiteStore(sqlite_path)
    assert store.migrate() == [migration.name for migration in MIGRATIONS]
    assert store.migrate() == []


def test_migrating_twice_at_once_applies_it_once(sqlite_path: Path) -> None:
    answers = together(*[SQLiteStore(sqlite_path).migrate] * 4)
    assert sorted(answers, key=str) == [[one.name for one in MIGRATIONS], [], [], []]


def test_a_migration_that_fails_leaves_nothing(
    sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [type(MIGRATIONS[0])("0001_x", "CREATE TABLE x (id integer);\nNONSENSE;\n")]
    monkeypatch.setattr("stepwell.stores.sqlite.schema.MIGRATIONS", broken)
    with pytest.raises(StepwellError):
        SQLiteStore(sqlite_path).migrate()
    assert run(sqlite_path, "SELECT name FROM sqlite_master") == []


def test_the_other_tables_of_the_file_are_left_alone(sqlite_path: Path) -> None:
    run(sqlite_path, "CREATE TABLE orders (id integer)")
    run(sqlite_path, "INSERT INTO orders VALUES (1)")
    SQLiteStore(sqlite_path).migrate()
    assert run(sqlite_path, "SELECT id FROM orders") == [(1,)]


def test_the_file_uses_a_write_ahead_log(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    assert run(sqlite_path, "PRAGMA journal_mode") == [("wal",)]


def test_commits_are_durable(sqlite_store: SQLiteStore) -> None:
    with sqlite_store.transaction() as tx:
        (level,) = tx._sql.execute("PRAGMA synchronous").fetchone()
    assert level == 2


def test_the_three_tables_have_the_same_columns(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    shapes = [run(sqlite_path, f"PRAGMA table_info({table})") for table in TABLES]
    assert shapes[0] == shapes[1] == shapes[2]
    assert [str(column[1]) for column in shapes[0]] == [field.name for field in fields(Step)]


def test_there_are_no_other_tables(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    found = run(sqlite_path, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    beside = {"stepwell_engines", "stepwell_controls", "stepwell_meta", "stepwell_steps"}
    assert {name for (name,) in found} == {*TABLES, *beside}


def test_steps_are_readable_with_plain_sql(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    time = now().replace(microsecond=0)
    step = Step(
        id=new_id(),
        name="v1/mail",
        flow_id=new_id(),
        created_at=time,
        schedule_time=time,
        state='{"to":{"city":"Ålesund"}}',
    )
    with sqlite_store.transaction() as tx:
        tx.add([Addition(step)])
    sql = "SELECT status, id, created_at, state ->> '$.to.city' FROM stepwell_steps"
    ((status, step_id, created_at, city),) = run(sqlite_path, sql)
    assert (status, step_id, city) == ("ready", str(step.id), "Ålesund")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", str(created_at))


def test_engines_are_readable_with_plain_sql(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    engine = EngineInfo(
        id=new_id(), name="host:1", version="0.1", handles=("a", "b"), queues=("default",)
    )
    with sqlite_store.transaction() as tx:
        tx.join(engine)
    ((handles, beat),) = run(sqlite_path, "SELECT handles, beat FROM stepwell_engines")
    assert (json.loads(str(handles)), beat) == (["a", "b"], 0)


def test_a_row_of_the_wrong_type_is_refused(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        run(sqlite_path, "INSERT INTO stepwell_controls VALUES ('nap', '', 1, 1, '', '', '', '')")


def test_tables_that_vanish_are_a_setup_fault(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    run(sqlite_path, "DROP VIEW stepwell_steps")
    run(sqlite_path, "DROP TABLE stepwell_done")
    with pytest.raises(SchemaMissing), sqlite_store.transaction() as tx:
        tx.search(StepQuery())
