"""What claims read and wait for, and what is beside a handler's transaction (R14, R19, R26)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pymysql
import pytest
from tests.engine.signals import wait_for
from tests.stores.mysql.support import connect
from tests.stores.postgres.support import (
    PATIENCE,
    add,
    claim,
    engine,
    ids,
    make,
    outcome,
    request,
    settle,
)

from stepwell import Engine, Registry, new_step
from stepwell.clock import now
from stepwell.errors import Conflict, HandlerInvalid, SettlementRejected, StoreUnavailable
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.step import Addition, OnConflict, Step, StepQuery
from stepwell.stores.mysql import MySQLStore
from stepwell.stores.mysql.claiming import values_of
from stepwell.stores.mysql.sql import QUERIES
from stepwell.testing.store_contract.base import sql

SOON = 60.0
"""Seconds that nothing here takes, unless it waits for a lock (90 s, here)."""


@pytest.fixture
def admin(mysql_steps: str) -> Iterator[pymysql.Connection]:
    with closing(connect(mysql_steps, autocommit=True)) as connection:
        yield connection


# -- what is read ------------------------------------------------------------------------------


def test_a_look_reads_a_few_rows_however_many_wait(
    store: MySQLStore, admin: pymysql.Connection
) -> None:
    later = now() + timedelta(hours=1)
    add(store, *[make(schedule_time=later) for _ in range(2000)])
    add(store, *[make(name="foreign", schedule_time=later) for _ in range(500)])
    sql(admin, "UPDATE stepwell_ready SET parked = 1 WHERE name = 'foreign'")
    me = engine(store)
    wanted = request(me, names=("v1/work", "foreign"))
    assert _reads(admin, "claim_outlook", values_of(wanted)) < 60
    place = {"queue": "default", "band": 2, "window": 100}
    assert _reads(admin, "claim_window_open", place) < 10


def test_a_window_reads_no_further_than_it_is_wide(
    store: MySQLStore, admin: pymysql.Connection
) -> None:
    add(store, *[make() for _ in range(1000)])
    place = {"queue": "default", "band": 2, "window": 10}
    assert _reads(admin, "claim_window_open", place) < 40


def _reads(admin: pymysql.Connection, query: str, values: dict[str, Any]) -> int:
    """How many rows and index entries the statement touches in the tables of steps."""
    sql(admin, "FLUSH STATUS")
    with admin.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
    counted = ("Handler_read_key", "Handler_read_next", "Handler_read_first", "Handler_read_prev")
    status = dict(sql(admin, "SHOW SESSION STATUS LIKE 'Handler_read%'"))
    return sum(int(status[name]) for name in counted)


# -- who waits for whom ------------------------------------------------------------------------


def test_a_claim_passes_over_rows_that_others_hold(store: MySQLStore, mysql_steps: str) -> None:
    held, free = make(), make()
    add(store, held, free)
    me = engine(store)
    with closing(connect(mysql_steps)) as other:
        store.on(other).activate(held.id, None, None)
        begun = time.monotonic()
        assert ids(claim(store, me).steps) == {free.id}
        assert time.monotonic() - begun < SOON
        other.rollback()
    assert ids(claim(store, me).steps) == {held.id}


def test_a_deadlock_is_a_pause(store: MySQLStore) -> None:
    steps = [make(), make()]
    add(store, *steps)
    both = threading.Barrier(2)

    def touch(first: Step, second: Step) -> str:
        try:
            with store.transaction() as tx:
                tx.activate(first.id, "1", None)
                both.wait(PATIENCE)
                tx.activate(second.id, "1", None)
        except StoreUnavailable as error:
            return error.why
        return "done"

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(touch, *steps)
        other = pool.submit(touch, *reversed(steps))
        answers = {one.result(PATIENCE), other.result(PATIENCE)}
    assert "done" in answers
    assert any("Deadlock" in answer for answer in answers)


def test_a_transaction_that_met_a_deadlock_cannot_commit(store: MySQLStore) -> None:
    def survive() -> None:
        with store.transaction() as tx:
            tx.statements._failed = True  # as after a verb whose error was swallowed
            tx.add([Addition(make())])

    with pytest.raises(Conflict, match="failed already"):
        survive()
    with store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 0


def test_engines_that_do_everything_at_once_hardly_ever_meet_in_a_deadlock(
    store: MySQLStore,
) -> None:
    """Claims, settlements with singletons, beats, releases and burials, for a while."""
    add(store, *[make(unique_key=str(place)) for place in range(60)])
    over = threading.Event()
    pauses: list[str] = []
    settled: list[int] = []

    def work() -> None:
        me = engine(store)
        while not over.is_set():
            try:
                me = _busy(store, me, settled)
            except StoreUnavailable as error:
                pauses.append(error.why)

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work) for _ in range(4)]
        wait_for(lambda: len(settled) > 400, PATIENCE)
        over.set()
        for one in working:
            one.result(PATIENCE)
    assert len(pauses) <= len(settled) / 50, pauses[:3]


def _busy(store: MySQLStore, me: UUID, settled: list[int]) -> UUID:
    """One round of an engine, which another one buries at its end."""
    steps = claim(store, me, limit=8).steps
    with store.transaction() as tx:
        beat = tx.beat(me, [step.claim for step in steps]).beats[me]
    half = [outcome(step, make(unique_key=step.unique_key)) for step in steps[::2]]
    settled.extend(1 for verdict in settle(store, me, *half) if verdict == Verdict.APPLIED)
    for step in steps[1:2]:
        replacement = Addition(make(unique_key=step.unique_key), OnConflict.REPLACE)
        with store.transaction() as tx:
            tx.add([replacement])
    heir = engine(store)
    with store.transaction() as tx:
        tx.bury(me, beat)
    return heir


# -- beside a handler's transaction ------------------------------------------------------------


@pytest.fixture
def held(store: MySQLStore, admin: pymysql.Connection) -> tuple[UUID, Step]:
    """An engine, the step that it holds, and a table of the user's own."""
    sql(admin, "CREATE TABLE orders (id integer PRIMARY KEY)")
    add(store, make())
    me = engine(store)
    (step,) = claim(store, me).steps
    return me, step


def test_a_handler_keeps_neither_the_heartbeat_nor_a_burial_waiting(
    store: MySQLStore, admin: pymysql.Connection, held: tuple[UUID, Step]
) -> None:
    me, step = held
    begun = time.monotonic()
    with store.exclusive() as tx:
        assert tx.lock(me, step.claim, 30.0)
        with tx.lend() as connection:
            sql(connection, "INSERT INTO orders VALUES (1)")
            with store.transaction() as other:
                beat = other.beat(me, [step.claim]).beats[me]
            with store.transaction() as other:
                assert other.bury(me, beat) is not None
        assert tx.settle(me, [outcome(step)]) == [Verdict.REFUSED]
        tx.statements.connection.rollback()
    assert time.monotonic() - begun < SOON
    assert sql(admin, "SELECT * FROM orders") == []


def test_a_statement_that_commits_by_itself_is_noticed(
    store: MySQLStore, held: tuple[UUID, Step]
) -> None:
    def handle(connection: Any) -> None:
        sql(connection, "CREATE TABLE IF NOT EXISTS orders (id integer)")

    with pytest.raises(HandlerInvalid, match="CREATE"):
        _handle(store, held, handle)


def test_a_connection_that_a_handler_closes_is_noticed(
    store: MySQLStore, held: tuple[UUID, Step]
) -> None:
    with pytest.raises(Conflict, match="closed"):
        _handle(store, held, lambda connection: connection.close())


def test_a_deadlock_that_a_handler_has_swallowed_is_noticed(
    store: MySQLStore, admin: pymysql.Connection, held: tuple[UUID, Step]
) -> None:
    sql(admin, "INSERT INTO orders VALUES (1)")
    sql(admin, "INSERT INTO orders VALUES (2)")
    admin.begin()
    sql(admin, "DELETE FROM orders WHERE id = 2")
    for step in range(3, 40):  # the lighter transaction is the one that is rolled back
        sql(admin, f"INSERT INTO orders VALUES ({step})")

    def handle(connection: Any) -> None:
        sql(connection, "UPDATE orders SET id = -1 WHERE id = 1")
        with ThreadPoolExecutor(1) as pool:
            crossing = pool.submit(sql, admin, "DELETE FROM orders WHERE id = 1")
            try:
                sql(connection, "DELETE FROM orders WHERE id = 2")
            except pymysql.err.OperationalError:
                pass
            crossing.result(PATIENCE)

    with pytest.raises(Conflict, match="deadlock"):
        _handle(store, held, handle)
    admin.rollback()


def test_a_statement_that_takes_longer_than_the_handler_may_is_ended(
    store: MySQLStore, held: tuple[UUID, Step]
) -> None:
    def handle(connection: Any) -> None:
        sql(connection, "SELECT SLEEP(300)")

    begun = time.monotonic()
    with pytest.raises(pymysql.err.MySQLError, match="max_statement_time"):
        _handle(store, held, handle, seconds=0.2)
    assert time.monotonic() - begun < SOON


def _handle(
    store: MySQLStore, held: tuple[UUID, Step], handle: Any, *, seconds: float = 30.0
) -> None:
    me, step = held
    with store.exclusive() as tx:
        assert tx.lock(me, step.claim, seconds)
        with tx.lend() as connection:
            handle(connection)
        tx.settle(me, [outcome(step)])


# -- engines -----------------------------------------------------------------------------------


def test_an_engine_runs_steps_and_handlers_that_write_exactly_once(
    store: MySQLStore, mysql_steps: str, admin: pymysql.Connection
) -> None:
    registry = Registry()
    ran: list[int] = []
    sql(admin, "CREATE TABLE orders (id integer PRIMARY KEY)")

    @registry.handler("v1/buy")
    def buy(connection: Any, state: int) -> None:
        sql(connection, f"INSERT INTO orders VALUES ({state})")

    registry.handler("v1/plain")(lambda: ran.append(1))
    with Engine(store, registry) as running, closing(MySQLStore(mysql_steps)) as other:
        running.add_many(new_step("v1/buy", place) for place in range(5))
        steps = [make(name="v1/plain") for _ in range(20)]
        add(other, *steps)  # which this engine has to look for
        wait_for(lambda: running.tally.done == 25)
    assert len(ran) == 20
    assert sql(admin, "SELECT COUNT(*) FROM orders") == [(5,)]


def test_rows_like_a_template_are_loaded(store: MySQLStore) -> None:
    step = make()
    template = replace(step, flow_id=step.id)
    pairs = [(str(new_id()), str(place)) for place in range(1200)]
    with store.transaction() as tx:
        assert tx.load(template, iter(pairs)) == 1200
        loaded = tx.search(StepQuery(limit=2000))
    assert {(str(one.id), one.state) for one in loaded} == set(pairs)
    assert all(one.flow_id == one.id for one in loaded)
    with pytest.raises(SettlementRejected), store.transaction() as tx:
        tx.load(template, pairs[:1])


def test_a_burial_gives_back_what_was_just_being_spawned_as_claimed(
    store: MySQLStore, admin: pymysql.Connection
) -> None:
    """R11, R21: also where the transaction's look for due rows has found none, and locks none."""
    add(store, make())
    me = engine(store)
    (parent,) = claim(store, me).steps
    child = make(claimed_by=me, claim_no=1, claim_request=new_id(), claimed_at=now())

    def bury() -> int:
        with store.transaction() as tx:
            burial = tx.bury(me, 0)
        assert burial is not None
        return burial.released

    def waits() -> bool:
        with admin.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE()"
                " AND (info LIKE 'DELETE FROM stepwell_engines%' OR info LIKE '%FOR UPDATE')"
            )
            return cursor.fetchone() is not None

    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as tx:
            tx.settle(me, [outcome(parent, child)])
            assert not tx.claim(request(me)).steps
            buried = pool.submit(bury)
            wait_for(waits)
        assert buried.result(PATIENCE) == 1
    assert ids(claim(store, engine(store)).steps) == ids([child])
