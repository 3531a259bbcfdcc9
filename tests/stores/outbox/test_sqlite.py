"""Steps in the caller's own transaction, whatever the caller holds (R27)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from stepwell.clock import now
from stepwell.errors import NotSupported, UniqueKeyTaken
from stepwell.ids import new_id
from stepwell.step import Addition, Step, StepQuery
from stepwell.stores.outbox import driver_connection
from stepwell.stores.sqlite import SQLiteStore


@pytest.fixture
def engine(sqlite_store: SQLiteStore, sqlite_path: Path) -> Iterator[Engine]:
    """SQLAlchemy with its defaults, on the steps' own file."""
    engine = create_engine(f"sqlite:///{sqlite_path}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id integer)"))
    yield engine
    engine.dispose()


def addition(**fields: str) -> Addition:
    times = {"created_at": now(), "schedule_time": now()}
    return Addition(Step(id=new_id(), name="v1/a", flow_id=new_id(), **times, **fields))  # type: ignore[arg-type]


def counts(store: SQLiteStore, engine: Engine) -> tuple[int, int]:
    with store.transaction() as tx, engine.connect() as connection:
        orders = connection.execute(text("SELECT count(*) FROM orders")).scalar_one()
        return tx.count(StepQuery()).ready, orders


def test_a_session_commits_steps_with_its_objects(
    sqlite_store: SQLiteStore, engine: Engine
) -> None:
    with Session(engine) as session:
        session.execute(text("INSERT INTO orders VALUES (1)"))
        sqlite_store.on(session).add([addition()])
        session.commit()
    assert counts(sqlite_store, engine) == (1, 1)


def test_a_session_takes_steps_back(sqlite_store: SQLiteStore, engine: Engine) -> None:
    with Session(engine) as session:
        sqlite_store.on(session).add([addition()])
        session.execute(text("INSERT INTO orders VALUES (1)"))
        session.rollback()
    assert counts(sqlite_store, engine) == (0, 0)


def test_a_scoped_session_is_a_session(sqlite_store: SQLiteStore, engine: Engine) -> None:
    session = scoped_session(sessionmaker(engine))
    sqlite_store.on(session).add([addition()])
    session.rollback()
    assert counts(sqlite_store, engine) == (0, 0)
    sqlite_store.on(session).add([addition()])
    session.commit()
    session.remove()
    assert counts(sqlite_store, engine) == (1, 0)


def test_a_connection_commits_and_takes_back(sqlite_store: SQLiteStore, engine: Engine) -> None:
    with engine.connect() as connection:
        sqlite_store.on(connection).add([addition()])
        connection.rollback()
        sqlite_store.on(connection).add([addition()])
        connection.commit()
    assert counts(sqlite_store, engine) == (1, 0)


def test_a_raw_connection_of_the_pool_is_taken(sqlite_store: SQLiteStore, engine: Engine) -> None:
    raw = engine.raw_connection()
    sqlite_store.on(raw).add([addition()])
    raw.commit()
    raw.close()
    assert counts(sqlite_store, engine) == (1, 0)


def test_an_asyncio_session_is_refused_with_a_way_out(sqlite_store: SQLiteStore) -> None:
    with pytest.raises(NotSupported, match="add_async"):
        sqlite_store.on(AsyncSession())


def test_a_driver_connection_is_itself(sqlite_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_path)) as connection:
        assert driver_connection(connection) is connection
        assert isinstance(driver_connection(connection.cursor()), sqlite3.Cursor)


def test_a_lent_connection_keeps_its_row_factory(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.row_factory = sqlite3.Row
        verbs = sqlite_store.on(connection)
        verbs.add([addition()])
        assert len(verbs.search(StepQuery())) == 1
        assert verbs.count(StepQuery()).ready == 1
        assert connection.row_factory is sqlite3.Row
        row = connection.execute("SELECT name FROM stepwell_ready").fetchone()
        assert row["name"] == "v1/a"
        assert connection.in_transaction


def test_on_a_connection_that_commits_by_itself_each_verb_is_whole(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as connection:
        verbs = sqlite_store.on(connection)
        verbs.add([addition(unique_key="k")])
        assert not connection.in_transaction
        with pytest.raises(UniqueKeyTaken):
            verbs.add([addition(), addition(unique_key="k")])
        assert not connection.in_transaction
    with sqlite_store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 1


def test_a_lent_transaction_that_was_begun_is_left_open(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        sqlite_store.on(connection).add([addition()])
        assert connection.in_transaction
        connection.execute("ROLLBACK")
    with sqlite_store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 0


def test_a_closed_connection_is_the_callers_mistake(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    connection = sqlite3.connect(sqlite_path)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        sqlite_store.on(connection).add([addition()])


def test_where_python_commits_each_statement_nothing_is_begun(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    """Python 3.12 has `autocommit=True`, whatever the isolation level says."""

    class Committing(sqlite3.Connection):
        autocommit = True
        isolation_level = "DEFERRED"

    connect = closing(sqlite3.connect(sqlite_path, isolation_level=None, factory=Committing))
    with connect as connection:
        sqlite_store.on(connection).add([addition()])
        assert not connection.in_transaction
    with sqlite_store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 1
