"""Connections that are cut on the wire, sessions that the server ends, a server that dies (R13)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from tests.servers import MariaDB
from tests.stores.mysql.support import connect, empty
from tests.stores.postgres.proxy import Proxy
from tests.stores.postgres.support import PATIENCE, add, claim, engine, ids, make, outcome, settle

from stepwell.errors import StoreUnavailable
from stepwell.step import Addition, StepQuery
from stepwell.stores.mysql import MySQLStore, connections
from stepwell.stores.mysql.address import arguments
from stepwell.testing.store_contract import Cut
from stepwell.testing.store_contract.base import sql
from stepwell.testing.store_contract.cuts import CutsContract

T = TypeVar("T")


class TestMySQLStoreOnACutLine(CutsContract):
    """The contract's cuts once more, by a line that is really cut."""

    @pytest.fixture
    def proxy(self, mysql_steps: str) -> Iterator[Proxy]:
        proxy = Proxy(arguments(mysql_steps)["unix_socket"])
        yield proxy
        proxy.close()

    @pytest.fixture
    def store(self, mysql_steps: str, proxy: Proxy) -> Iterator[MySQLStore]:
        empty(mysql_steps)
        store = MySQLStore(f"mysql://root@127.0.0.1:{proxy.port}{urlsplit(mysql_steps).path}")
        store.open()
        yield store
        store.close()

    @pytest.fixture
    def cut(self, proxy: Proxy) -> Cut:
        return lambda _store, where: proxy.cut(where)


def test_a_session_that_the_server_has_ended_is_not_lent_again(
    store: MySQLStore, mysql_steps: str
) -> None:
    _use_connections(store)
    _end_sessions(mysql_steps)
    for _ in range(20):
        add(store, make())


def test_a_session_ended_in_the_middle_is_a_pause(store: MySQLStore, mysql_steps: str) -> None:
    step = make()

    def interrupted() -> None:
        with store.transaction() as tx:
            tx.add([Addition(step)])
            _end_sessions(mysql_steps)
            tx.search(StepQuery(ids=(step.id,)))

    with pytest.raises(StoreUnavailable):
        interrupted()
    assert add(store, step) == [True]


def test_a_transaction_that_has_no_connection_in_time_is_a_pause(
    mysql_steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(MySQLStore(mysql_steps, pool_size=1)) as store, store.transaction():
        monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.1)
        with pytest.raises(StoreUnavailable, match="pool_size"), store.transaction():
            pass


@pytest.fixture
def mortal() -> Iterator[MariaDB]:
    """A server of this test's own."""
    server = MariaDB()
    yield server
    server.stop()


def test_nothing_is_lost_or_done_twice_when_the_server_dies_in_the_middle(mortal: MariaDB) -> None:
    """Every call gives its answer or `StoreUnavailable`, in bounded time, and all work ends."""
    with closing(mortal.admin()) as admin:
        sql(admin, "CREATE DATABASE steps")
    with closing(MySQLStore(mortal.url("steps"))) as store:
        store.migrate()
        rows = [make() for _ in range(200)]
        add(store, *rows)
        longest = _work_through_a_crash(store, mortal, len(rows))
        assert longest < PATIENCE
        with store.transaction() as tx:
            done = tx.search(StepQuery(limit=1000))
        assert ids(done) == ids(rows)
        assert {step.execution_count for step in done} == {1}


# -- helpers ---------------------------------------------------------------------------------


def _work_through_a_crash(store: MySQLStore, server: MariaDB, count: int) -> float:
    """The longest time that a call took, in seconds."""
    over = threading.Event()

    def work() -> list[float]:
        me = _until_done(lambda: engine(store))
        waits = []
        while not over.is_set():
            begun = time.monotonic()
            try:
                for held in claim(store, me, limit=3).steps:
                    settle(store, me, outcome(held))
            except StoreUnavailable:
                _until_done(lambda: _give_back_all(store, me))
            waits.append(time.monotonic() - begun)
        return waits

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work) for _ in range(4)]
        _until_done(lambda: _assert_done(store, 20))
        server.kill()
        server.start()
        _until_done(lambda: _assert_done(store, count))
        over.set()
        return max(max(one.result(PATIENCE)) for one in working)


def _use_connections(store: MySQLStore) -> None:
    together = threading.Barrier(5)

    def use() -> None:
        with store.transaction() as tx:
            tx.count(StepQuery())
            together.wait(PATIENCE)

    with ThreadPoolExecutor(5) as pool:
        for one in [pool.submit(use) for _ in range(5)]:
            one.result()


def _end_sessions(url: str) -> None:
    """Ends all others of the database, and waits until they are gone."""
    others = "information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    with closing(connect(url, autocommit=True)) as admin:
        for (session,) in sql(admin, f"SELECT id FROM {others}"):
            sql(admin, f"KILL {session}")
        end = time.monotonic() + PATIENCE
        while sql(admin, f"SELECT id FROM {others}"):
            assert time.monotonic() < end, "a session does not end"


def _until_done(call: Callable[[], T]) -> T:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except (StoreUnavailable, AssertionError):
            if time.monotonic() > end:
                raise
            threading.Event().wait(0.05)


def _give_back_all(store: MySQLStore, me: UUID) -> None:
    """What an engine does when it does not know which claims it holds (R13)."""
    with store.transaction() as tx:
        tx.release(me, tx.claimed(me))


def _assert_done(store: MySQLStore, count: int) -> None:
    with store.transaction() as tx:
        assert tx.count(StepQuery()).done >= count
