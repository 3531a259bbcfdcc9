"""Steps on the caller's own connection, whatever its settings are (R27)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pymysql
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session
from tests.stores.mysql.support import connect
from tests.stores.postgres.support import make

from stepwell.errors import SettlementRejected, StoreUnavailable, UniqueKeyTaken
from stepwell.step import Addition, OnConflict, StepQuery
from stepwell.stores.mysql import MySQLStore
from stepwell.testing.store_contract.base import sql


@pytest.fixture
def engine(store: MySQLStore, mysql_steps: str) -> Iterator[Engine]:
    """SQLAlchemy on PyMySQL, with its defaults."""
    engine = create_engine(mysql_steps.replace("mysql://", "mysql+pymysql://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id integer)"))
    yield engine
    engine.dispose()


def counts(store: MySQLStore, engine: Engine) -> tuple[int, int]:
    with store.transaction() as tx, engine.connect() as connection:
        orders = connection.execute(text("SELECT count(*) FROM orders")).scalar_one()
        return tx.count(StepQuery()).ready, orders


def ready(store: MySQLStore) -> int:
    with store.transaction() as tx:
        return tx.count(StepQuery()).ready


def test_a_session_commits_and_takes_back_steps_with_its_rows(
    store: MySQLStore, engine: Engine
) -> None:
    with Session(engine) as session:
        session.execute(text("INSERT INTO orders VALUES (1)"))
        store.on(session).add([Addition(make())])
        session.rollback()
        assert counts(store, engine) == (0, 0)
        store.on(session).add([Addition(make())])
        session.execute(text("INSERT INTO orders VALUES (1)"))
        session.commit()
    assert counts(store, engine) == (1, 1)


def test_a_connection_of_sqlalchemy_does_too(store: MySQLStore, engine: Engine) -> None:
    with engine.connect() as connection:
        store.on(connection).add([Addition(make())])
        connection.rollback()
        step = make()
        assert store.on(connection).add([Addition(step)]) == [True]
        assert store.on(connection).add([Addition(step)]) == [False]
        assert store.on(connection).activate(step.id, "1", None)
        assert store.on(connection).reschedule(step.id, step.schedule_time)
        assert store.on(connection).reschedule(step.id, step.schedule_time)
        connection.commit()
    assert counts(store, engine) == (1, 0)


def test_where_each_statement_commits_each_verb_is_whole(
    store: MySQLStore, mysql_steps: str
) -> None:
    with closing(connect(mysql_steps, autocommit=True)) as connection:
        verbs = store.on(connection)
        verbs.add([Addition(make(unique_key="k"))])
        assert ready(store) == 1
        with pytest.raises(UniqueKeyTaken):
            verbs.add([Addition(make()), Addition(make(unique_key="k"))])
        connection.begin()
        verbs.add([Addition(make())])
        connection.rollback()
    assert ready(store) == 1


def test_a_lent_connection_keeps_its_cursor_class(store: MySQLStore, mysql_steps: str) -> None:
    dictionaries = pymysql.cursors.DictCursor
    with closing(connect(mysql_steps, cursorclass=dictionaries)) as connection:
        step = make()
        store.on(connection).add([Addition(step)])
        assert store.on(connection).search(StepQuery()) == [step]
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM stepwell_ready")
            assert cursor.fetchone() == {"name": step.name}


def test_a_session_that_cuts_long_texts_cuts_no_key(store: MySQLStore, mysql_steps: str) -> None:
    long = Addition(make(unique_key="k" * 501))
    with closing(connect(mysql_steps, sql_mode="")) as connection:
        with pytest.raises(SettlementRejected, match="501 characters"):
            store.on(connection).add([long])
        connection.rollback()


def test_text_that_the_connection_cannot_carry_is_refused(
    store: MySQLStore, mysql_steps: str
) -> None:
    with closing(connect(mysql_steps, charset="latin1")) as connection:
        step = make(description="Grüße", search_key="ö")
        store.on(connection).add([Addition(step)])
        with pytest.raises(SettlementRejected):
            store.on(connection).add([Addition(make(description="🌍"))])
        connection.commit()
    with store.transaction() as tx:
        assert tx.search(StepQuery(search_key="ö")) == [step]


def test_a_transaction_that_sees_the_past_still_adds_if_none_is_there_now(
    store: MySQLStore, mysql_steps: str
) -> None:
    """REPEATABLE READ, the server's default, shows rows as of the first statement."""
    query = StepQuery(search_key="a")
    with closing(connect(mysql_steps)) as connection:
        assert sql(connection, "SELECT count(*) FROM stepwell_ready") == [(0,)]
        with store.transaction() as tx:
            assert tx.add_if_none(Addition(make(search_key="a")), query)
        assert not store.on(connection).add_if_none(Addition(make(search_key="a")), query)
        connection.commit()
    assert ready(store) == 1


def test_a_transaction_that_sees_the_past_still_replaces_what_is_there_now(
    store: MySQLStore, mysql_steps: str
) -> None:
    with closing(connect(mysql_steps)) as connection:
        assert sql(connection, "SELECT count(*) FROM stepwell_ready") == [(0,)]
        with store.transaction() as tx:
            tx.add([Addition(make(unique_key="k"))])
        new = Addition(make(unique_key="k"), OnConflict.REPLACE)
        assert store.on(connection).add([new]) == [True]
        connection.commit()
    assert ready(store) == 1


def test_a_lock_that_is_not_had_in_time_is_a_pause(store: MySQLStore, mysql_steps: str) -> None:
    step = make()
    with closing(connect(mysql_steps)) as one, closing(connect(mysql_steps)) as other:
        store.on(one).add([Addition(step)])
        sql(other, "SET innodb_lock_wait_timeout = 1")
        with pytest.raises(StoreUnavailable, match="timeout"):
            store.on(other).add([Addition(step)])
        one.rollback()
        assert store.on(other).add([Addition(step)]) == [True]
