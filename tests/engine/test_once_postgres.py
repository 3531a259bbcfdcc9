"""Exactly once on PostgreSQL: what goes on beside a handler's transaction (R26)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from tests.engine.lanes import bury
from tests.engine.shop import INSERT, Shop, postgres_shop
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, RetryPolicy, Step, StepStatus, new_step
from stepwell.stores.postgres import PostgresStore

__all__ = ["postgres_shop"]  # a fixture, found by name

SOON = RetryPolicy(delays=(0.01,))


def test_on_postgresql_group_commits_and_marks_go_on_meanwhile(
    postgres_shop: Shop, registry: Registry
) -> None:
    """R15: what runs for over a second is marked, though its row is locked."""
    go = threading.Event()

    @registry.handler("v1/buy")
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        assert go.wait(90)

    registry.handler("v1/plain")(lambda: None)
    with Engine(postgres_shop.store, registry) as engine:
        step_id = engine.add(new_step("v1/buy"))
        engine.add_many(new_step("v1/plain") for _ in range(50))
        wait_for(lambda: engine.tally.done == 50)
        wait_for(lambda: engine.get(step_id).started)
        go.set()
        wait_for(lambda: engine.tally.done == 51)
    assert postgres_shop.orders == 1


def test_on_postgresql_a_claim_taken_away_while_it_runs_takes_back_what_was_written(
    postgres_shop: Shop, registry: Registry
) -> None:
    """R10, R12: burying its engine does not wait for the handler."""
    running, go, runs = threading.Event(), threading.Event(), []

    @registry.handler("v1/buy")
    def buy(connection: Any) -> None:
        runs.append(1)
        connection.execute(INSERT)
        if len(runs) == 1:
            running.set()
            assert go.wait(90)

    with Engine(postgres_shop.store, registry) as engine:
        step_id = engine.add(new_step("v1/buy"))
        assert running.wait(90)
        assert bury(postgres_shop.store, engine).released == 1
        go.set()
        wait_for(lambda: engine.get(step_id).status is StepStatus.DONE)
        wait_for(lambda: engine.tally.refused == 1)
    assert (len(runs), postgres_shop.orders) == (2, 1)


def test_a_constraint_that_is_checked_at_the_commit_is_an_exception_of_the_handler(
    postgres_shop: Shop, registry: Registry
) -> None:
    postgres_shop.run(
        "CREATE TABLE lines (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED, run integer)"
    )

    @registry.handler("v1/buy", retry=SOON)
    def buy(connection: Any, step: Step) -> None:
        connection.execute("INSERT INTO lines VALUES (1, 1)")
        if not step.failure_count:
            connection.execute("INSERT INTO lines VALUES (1, 2)")

    engine = Engine(postgres_shop.store, registry)
    engine.add(new_step("v1/buy"))
    tally = engine.drain(patience=5)
    assert (tally.done, tally.retried) == (1, 1)
    assert postgres_shop.run("SELECT count(*) FROM lines") == [(1,)]


def test_an_error_that_a_handler_keeps_to_itself_is_not_lost(
    postgres_shop: Shop, registry: Registry
) -> None:
    """PostgreSQL takes no more statements after an error, nor the settlement."""

    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1))
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT nothing")

    engine = Engine(postgres_shop.store, registry)
    step_id = engine.add(new_step("v1/buy"))
    assert engine.drain().failed == 1
    assert "failed already" in str(engine.get(step_id).description)
    assert postgres_shop.orders == 0


def test_a_handler_that_ends_its_transaction_by_a_statement_is_not_tried_again(
    postgres_shop: Shop, registry: Registry
) -> None:
    @registry.handler("v1/buy", retry=SOON)
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        connection.execute("COMMIT")
        connection.execute(INSERT)

    engine = Engine(postgres_shop.store, registry)
    step_id = engine.add(new_step("v1/buy"))
    assert engine.drain().failed == 1
    assert "ended its transaction" in str(engine.get(step_id).description)
    assert postgres_shop.orders == 1


def test_what_a_handler_leaves_in_its_session_meets_no_other(
    postgres_shop: Shop, registry: Registry
) -> None:
    """A lock of the session that nobody opens would keep all others out."""
    found = []

    @registry.handler("v1/buy")
    def buy(connection: Any) -> None:
        found.extend(
            connection.execute(
                "SELECT pg_backend_pid(), to_regclass('pg_temp.mine') IS NULL,"
                " NOT EXISTS (SELECT FROM pg_listening_channels()), NOT EXISTS ("
                "   SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
            )
        )
        connection.execute("CREATE TEMP TABLE mine (name text)")
        connection.execute("LISTEN orders")
        connection.execute("SELECT pg_advisory_lock(4711)")

    with Engine(postgres_shop.store, registry, workers=1) as engine:
        engine.add_many(new_step("v1/buy") for _ in range(8))
        wait_for(lambda: engine.tally.done == 8)
    sessions, *kept = zip(*found, strict=True)
    assert len(set(sessions)) < 8  # some were used again
    assert [set(one) for one in kept] == [{True}] * 3


def test_a_mark_by_the_heartbeat_hinders_no_settlement_whatever_isolation_is_the_default(
    postgres_database: Callable[[], str], registry: Registry
) -> None:
    """R15: a view from before the mark could not settle the row."""
    url, runs = postgres_database(), []
    with psycopg.connect(url, autocommit=True) as admin:
        name = Identifier(admin.info.dbname)
        admin.execute(
            SQL("ALTER DATABASE {} SET default_transaction_isolation = 'serializable'").format(name)
        )
    store = PostgresStore(url)
    store.migrate()

    @registry.handler("v1/buy", retry=SOON)
    def buy(step: Step, connection: Any) -> None:
        runs.append(1)
        wait_for(lambda: engine.get(step.id).started or len(runs) > 1)

    engine = Engine(store, registry)
    with engine:
        engine.add(new_step("v1/buy"))
        wait_for(lambda: engine.tally.done == 1)
    store.close()
    assert len(runs) == 1
