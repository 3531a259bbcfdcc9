"""The schema: partitions by retention and time, the same columns everywhere, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from tests.stores.postgres.support import add, claim, engine, make, outcome, settle

from stepwell.clock import now
from stepwell.errors import SchemaMissing, SchemaTooNew, SettlementRejected, SetupError
from stepwell.step import EndedAs, Retention, StepQuery, StepStatus
from stepwell.stores.columns import COLUMNS
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres.schema import migrations

LATER = ("fingerprint", "join_id", "join_policy", "waiting_for", "limit_key", "limit_slots")


@pytest.fixture
def admin(postgres_steps: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        yield connection


def test_a_database_that_cannot_keep_unicode_is_refused_before_anything_is_made(
    admin: psycopg.Connection[Any],
) -> None:
    """R24: or the first message with an accent would be lost."""
    admin.execute(
        "CREATE DATABASE stepwell_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
    )
    try:
        url = f"postgresql://{admin.info.user}:@/stepwell_ascii?host={admin.info.host}"
        with closing(PostgresStore(url)) as store, pytest.raises(SetupError, match="SQL_ASCII"):
            store.migrate()
        with psycopg.connect(url) as connection:
            made = connection.execute("SELECT to_regclass('stepwell_meta')").fetchone()
            assert made == (None,)
    finally:
        admin.execute("DROP DATABASE stepwell_ascii WITH (FORCE)")


@pytest.mark.parametrize("retention", Retention)
@pytest.mark.parametrize("ended_as", EndedAs)
def test_an_ended_row_lands_in_the_span_of_its_class(
    store: PostgresStore,
    admin: psycopg.Connection[Any],
    retention: Retention,
    ended_as: EndedAs,
) -> None:
    add(store, make(retention=retention))
    me = engine(store)
    (held,) = claim(store, me).steps
    settle(store, me, outcome(held, ended_as=ended_as))
    table = f"stepwell_{ended_as.status}_{retention.name.lower()}_{_span(ended_as, retention)}"
    query = f"SELECT tableoid::regclass::text FROM stepwell_{ended_as.status}"
    assert admin.execute(query.encode()).fetchall() == [(table,)]


def _span(ended_as: EndedAs, retention: Retention) -> str:
    today = datetime.now(UTC)
    if retention is Retention.LONG:
        return f"{today:%Y}_q{(today.month + 2) // 3}"
    by_day = retention is Retention.SHORT and ended_as.status is StepStatus.DONE
    return f"{today:%Y_%m_%d}" if by_day else f"{today:%Y_%m}"


def test_a_step_of_no_class_is_refused_when_it_is_added(store: PostgresStore) -> None:
    with pytest.raises(SettlementRejected):
        add(store, make(retention=7))


def test_spans_are_made_ahead_for_each_class_and_table(admin: psycopg.Connection[Any]) -> None:
    made = "SELECT parent, count(ends) FROM stepwell_partitions GROUP BY parent"
    assert dict(admin.execute(made).fetchall()) == {
        "stepwell_done_short": 4,
        "stepwell_done_standard": 3,
        "stepwell_done_long": 2,
        "stepwell_failed_short": 3,
        "stepwell_failed_standard": 3,
        "stepwell_failed_long": 2,
    }


def test_making_partitions_again_makes_none(admin: psycopg.Connection[Any]) -> None:
    admin.execute("SELECT stepwell_make_partitions()")  # a day may have begun since the first
    assert admin.execute("SELECT stepwell_make_partitions()").fetchall() == []


def test_a_row_of_a_month_that_nobody_made_is_kept_and_moves_when_it_is_made(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    step = make()
    add(store, step)
    with store.transaction() as tx:
        tx.end(step.id, EndedAs.FAILED, "by hand")
    later = "date_trunc('month', now() AT TIME ZONE 'UTC') + interval '5 months 3 days'"
    admin.execute(f"UPDATE stepwell_failed SET ended_at = {later}".encode())
    where = "SELECT tableoid::regclass::text FROM stepwell_failed"
    assert admin.execute(where).fetchall() == [("stepwell_failed_standard_default",)]
    admin.execute("SELECT stepwell_make_partitions(3)")
    ((table,),) = admin.execute(where).fetchall()
    assert table.startswith("stepwell_failed_standard_20")
    admin.execute("DELETE FROM stepwell_failed")


def test_partitions_are_made_while_others_write(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    """An open transaction that has written a done row is not waited for."""
    step = make()
    add(store, step)
    admin.execute("SET lock_timeout = '2s'")
    with store.transaction() as tx:
        tx.end(step.id, EndedAs.DONE, "by hand")
        made = admin.execute("SELECT stepwell_make_partitions(5)").fetchall()
    assert made


def test_all_tables_and_the_view_have_the_same_columns(admin: psycopg.Connection[Any]) -> None:
    found = {table: _columns(admin, f"stepwell_{table}") for table in ("ready", "done", "failed")}
    assert found["ready"] == found["done"] == found["failed"]
    assert _columns(admin, "stepwell_steps") == ["status", *found["ready"]]
    assert set(found["ready"]) >= {*COLUMNS, *LATER, "rate_key"}


def test_the_view_tells_where_each_step_is(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    rows = [make(), make(), make()]
    add(store, *rows)
    with store.transaction() as tx:
        tx.end(rows[1].id, EndedAs.DONE, "by hand")
        tx.end(rows[2].id, EndedAs.CANCELLED, "by hand")
        assert tx.count(StepQuery()).failed == 1
    found = admin.execute("SELECT status, id FROM stepwell_steps").fetchall()
    expected = zip(("ready", "done", "failed"), (row.id for row in rows), strict=True)
    assert set(found) == set(expected)


def test_migrating_applies_each_migration_once(postgres_database: Callable[[], str]) -> None:
    store = PostgresStore(postgres_database())
    names = [migration.name for migration in migrations()]
    assert store.migrate() == names
    assert store.migrate() == []


def test_two_that_migrate_at_once_do_not_disturb_each_other(
    postgres_database: Callable[[], str],
) -> None:
    url = postgres_database()
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: PostgresStore(url).migrate(), range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]


def test_a_database_without_tables_says_what_to_run(postgres_database: Callable[[], str]) -> None:
    with pytest.raises(SchemaMissing, match="stepwell migrate"):
        PostgresStore(postgres_database()).open()


def test_a_user_who_may_make_no_tables_is_told_what_to_grant(
    postgres_database: Callable[[], str],
) -> None:
    """Since PostgreSQL 15 only the owner of a database may, unless somebody grants it."""
    url, role = postgres_database(), f"shop_{uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    store = PostgresStore(url.replace("postgres:@", f"{role}@"))
    with closing(store), pytest.raises(SetupError, match="grant create on schema"):
        store.migrate()
    with psycopg.connect(url, autocommit=True) as admin:
        grant = sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(role))
        admin.execute(grant)
    with closing(PostgresStore(url.replace("postgres:@", f"{role}@"))) as store:
        assert store.migrate()
        store.open()


def test_a_user_who_does_not_own_the_tables_is_told_who_migrates(
    postgres_database: Callable[[], str],
) -> None:
    """Workers need not own them; an upgrade alters them."""
    url, role = postgres_database(), f"shop_{uuid4().hex[:8]}"
    with closing(PostgresStore(url)) as store:
        store.migrate()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        grant = "GRANT ALL ON ALL TABLES IN SCHEMA public TO {0}; GRANT ALL ON SCHEMA public TO {0}"
        admin.execute(sql.SQL(grant).format(sql.Identifier(role)))
        admin.execute("UPDATE stepwell_meta SET value = '2' WHERE key = 'schema_version'")
    store = PostgresStore(url.replace("postgres:@", f"{role}@"))
    with closing(store), pytest.raises(SetupError, match="the role that owns the tables"):
        store.migrate()


def test_a_newer_schema_is_left_alone(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    store = PostgresStore(url)
    store.migrate()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE stepwell_meta SET value = '99'")
    for use in (store.open, store.migrate):
        with pytest.raises(SchemaTooNew, match="99"):
            use()


def test_a_newer_schema_that_only_has_more_is_worked_with_and_left_alone(
    postgres_database: Callable[[], str],
) -> None:
    """It says so itself: `schema_floor` is the oldest version that it suits."""
    url = postgres_database()
    with closing(PostgresStore(url)) as store:
        store.migrate()
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("UPDATE stepwell_meta SET value = '99'")
            admin.execute("UPDATE stepwell_meta SET value = '3' WHERE key = 'schema_floor'")
            store.open()
            assert store.migrate() == []
            query = "SELECT value FROM stepwell_meta WHERE key = 'schema_version'"
            assert admin.execute(query).fetchone() == ("99",)
            admin.execute("UPDATE stepwell_meta SET value = '98'")
    with pytest.raises(SchemaTooNew), closing(PostgresStore(url)) as store:
        store.open()


def test_an_older_schema_is_not_worked_on(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    store = PostgresStore(url)
    store.migrate()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE stepwell_meta SET value = '0'")
    with pytest.raises(SchemaMissing, match="version 0"):
        store.open()


def test_sessions_outlive_a_migration_that_adds_a_column(
    postgres_database: Callable[[], str],
) -> None:
    """An engine of the old version goes on while the database is upgraded."""
    url = postgres_database()
    store = PostgresStore(url, pool_size=1)
    store.migrate()
    me = engine(store)
    for _ in range(2):
        add(store, make(), make(), make(schedule_time=now() + timedelta(days=1)))
        first, second = claim(store, me).steps
        settle(store, me, outcome(first), outcome(second, ended_as=EndedAs.FAILED))
        with store.transaction() as tx:
            (held,) = tx.search(StepQuery(status=StepStatus.READY))
            assert tx.end(held.id, EndedAs.CANCELLED, "by hand")
        with psycopg.connect(url, autocommit=True) as admin:
            for table in ("ready", "done", "failed"):
                statement = f"ALTER TABLE stepwell_{table} ADD COLUMN IF NOT EXISTS more text"
                admin.execute(statement.encode())
    store.close()


def _columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " ORDER BY attnum",
        [table],
    )
    return [name for (name,) in rows]
