"""Retention is a DROP: partitions go whole, come in time, and nobody waits for it (R23)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.stores.postgres.support import PATIENCE, add, claim, engine, make, outcome, settle

from stepwell.clock import now
from stepwell.errors import SetupError, StoreUnavailable
from stepwell.retention import Expiry, Retention
from stepwell.step import EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Swept

PARENT = "stepwell_done_standard"
OLD = datetime(2020, 3, 1, tzinfo=UTC), datetime(2020, 4, 1, tzinfo=UTC)
PART = f"{PARENT}_2020_03"
LOCK_SECONDS = 60.0
"""Whoever waits for a lock for longer is about to fail (90 s, here)."""
AFTER_OLD = datetime(2020, 5, 1, tzinfo=UTC)


@pytest.fixture
def admin(postgres_steps: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        yield connection
        if _exists(connection, PART):
            connection.execute(f"DROP TABLE {PART}".encode())


def _exists(admin: psycopg.Connection[Any], table: str) -> bool:
    found = admin.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
    return bool(found and found[0])


def _places(admin: psycopg.Connection[Any]) -> dict[Any, str]:
    return dict(admin.execute("SELECT id, tableoid::regclass::text FROM stepwell_done").fetchall())


def old_partition(admin: psycopg.Connection[Any]) -> None:
    admin.execute("SELECT stepwell_make_partition(%s, %s, %s)", [PARENT, *OLD])


def done_then(store: PostgresStore, admin: psycopg.Connection[Any], **fields: Any) -> Step:
    """A step that ended in the middle of the old month."""
    step = make(**fields)
    add(store, step)
    with store.transaction() as tx:
        tx.end(step.id, EndedAs.DONE, "over")
    ended = OLD[0] + timedelta(days=10)
    admin.execute("UPDATE stepwell_done SET ended_at = %s WHERE id = %s", [ended, step.id])
    return step


def sweep(store: PostgresStore, before: datetime = AFTER_OLD, limit: int = 1000) -> list[Swept]:
    """Call until there is no more to do."""
    calls: list[Swept] = []
    while not calls or calls[-1].more:
        with store.transaction() as tx:
            expiry = Expiry(StepStatus.DONE, Retention.STANDARD, before)
            calls.append(tx.sweep([expiry], limit))
    return calls


def dropped(calls: list[Swept]) -> list[str]:
    return [name for one in calls for name in one.dropped]


def test_a_partition_whose_time_is_over_is_dropped(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    old_partition(admin)
    steps = [done_then(store, admin) for _ in range(3)]
    assert set(_places(admin).values()) == {PART}
    calls = sweep(store)
    assert dropped(calls) == [PART]
    assert sum(one.removed for one in calls) == 0
    assert not _exists(admin, PART)
    with store.transaction() as tx:
        assert tx.search(StepQuery(ids=tuple(step.id for step in steps))) == []


def test_a_partition_with_rows_that_are_to_stay_is_kept(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    old_partition(admin)
    step = done_then(store, admin)
    assert dropped(sweep(store, OLD[1] - timedelta(seconds=1))) == []
    assert _places(admin) == {step.id: PART}
    assert dropped(sweep(store, OLD[1])) == [PART]


def test_what_an_open_join_waits_for_moves_before_its_partition_goes(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    old_partition(admin)
    join = make("v1/join")
    add(store, join)
    member = done_then(store, admin, join_id=join.id)
    done_then(store, admin)
    assert dropped(sweep(store)) == [PART]
    assert _places(admin) == {member.id: f"{PARENT}_default"}
    with store.transaction() as tx:
        tx.end(join.id, EndedAs.FAILED, "by hand")
    assert sum(one.removed for one in sweep(store)) == 1
    assert _places(admin) == {}


def test_rows_without_a_partition_go_a_few_at_a_time(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    for _ in range(5):
        done_then(store, admin)
    assert [one.removed for one in sweep(store, limit=2)] == [2, 2, 1]


def test_a_sweep_makes_the_partitions_of_the_coming_time(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    sweep(store)  # a day may have begun since the others were made
    name = f"stepwell_done_short_{now() + timedelta(days=2):%Y_%m_%d}"
    admin.execute(f"DROP TABLE {name}".encode())
    assert [made for one in sweep(store) for made in one.made] == [name]
    assert _exists(admin, name)


def test_rows_of_the_default_partition_move_into_the_one_that_is_made_for_them(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    today = f"stepwell_done_short_{datetime.now(UTC):%Y_%m_%d}"
    admin.execute(f"DROP TABLE {today}".encode())
    step = make(retention=Retention.SHORT)
    add(store, step)
    with store.transaction() as tx:
        tx.end(step.id, EndedAs.DONE, "over")
    assert _places(admin) == {step.id: "stepwell_done_short_default"}
    sweep(store)
    assert _places(admin) == {step.id: today}


def test_a_sweep_waits_only_for_a_moment_for_who_reads_the_history(
    store: PostgresStore, admin: psycopg.Connection[Any], postgres_steps: str
) -> None:
    """And claims and settlements behind it wait no longer."""
    old_partition(admin)
    done_then(store, admin)
    me = engine(store)
    with psycopg.connect(postgres_steps) as reader:
        reader.execute(f"SELECT count(*) FROM {PARENT}".encode())
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable, match="not available"):
            sweep(store)
        _work(store, me, 3)
        assert time.monotonic() - begun < LOCK_SECONDS
        assert _exists(admin, PART)
    assert dropped(sweep(store)) == [PART]


def _work(store: PostgresStore, me: Any, count: int) -> None:
    for _ in range(count):
        add(store, make())
        settle(store, me, *[outcome(step) for step in claim(store, me).steps])


def test_steps_end_while_partitions_are_dropped_and_made(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    me, over = engine(store), threading.Event()
    errors, slowest = [], [0.0]

    def work() -> None:
        while not over.is_set():
            begun = time.monotonic()
            try:
                _work(store, me, 1)
            except Exception as error:
                errors.append(error)
            slowest[0] = max(slowest[0], time.monotonic() - begun)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        old_partition(admin)
        assert dropped(_patient(lambda: sweep(store))) == [PART]
    over.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert slowest[0] < LOCK_SECONDS
    with store.transaction() as tx:
        counts = tx.count(StepQuery(name="v1/work"))
    assert counts.ready == 0
    assert counts.done > 0


def _patient(call: Callable[[], list[Swept]]) -> list[Swept]:
    """As the step that sweeps is: it tries again."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except StoreUnavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def test_two_sweeps_do_not_meet(store: PostgresStore, admin: psycopg.Connection[Any]) -> None:
    """The second does nothing, and does not wait."""
    old_partition(admin)
    with store.transaction() as tx:
        expiry = Expiry(StepStatus.DONE, Retention.STANDARD, AFTER_OLD)
        assert tx.sweep([expiry], 10).dropped == (PART,)
        assert sweep(store) == [Swept()]
    assert not _exists(admin, PART)


def test_who_does_not_own_the_tables_is_told(
    store: PostgresStore, admin: psycopg.Connection[Any], postgres_steps: str
) -> None:
    old_partition(admin)
    admin.execute("DROP ROLE IF EXISTS stepwell_guest")
    admin.execute("CREATE ROLE stepwell_guest")
    admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO stepwell_guest")
    try:
        with psycopg.connect(postgres_steps) as guest:
            guest.execute("SET ROLE stepwell_guest")
            with pytest.raises(SetupError, match="may not do"):
                store.on(guest).sweep([Expiry(StepStatus.DONE, Retention.STANDARD, AFTER_OLD)], 10)
    finally:
        admin.execute("DROP OWNED BY stepwell_guest")
        admin.execute("DROP ROLE stepwell_guest")


def add_done(store: PostgresStore, admin: psycopg.Connection[Any], number: int) -> None:
    add(store, *(make() for _ in range(number)))
    admin.execute(
        "WITH gone AS (DELETE FROM stepwell_ready RETURNING *)"
        " INSERT INTO stepwell_done SELECT (json_populate_record(ROW(gone.*)::stepwell_ready,"
        " json_build_object('ended_at', now(), 'ended_as', 'done'))).* FROM gone"
    )


def test_partitions_without_rows_add_none_to_an_estimate(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    """The planner takes each of them for ten pages until it is analyzed, which no vacuum does
    with what has no rows."""
    add_done(store, admin, 300)
    # A vacuum may have analyzed the one that has rows while it was still empty.
    for (leaf,) in admin.execute("SELECT DISTINCT tableoid::regclass::text FROM stepwell_done"):
        admin.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(leaf)))
    with store.transaction() as tx:
        assert 101 <= tx.count(StepQuery(), 100).done <= 600


def test_counting_all_is_an_estimate_when_there_are_many(
    store: PostgresStore, admin: psycopg.Connection[Any]
) -> None:
    add_done(store, admin, 500)
    admin.execute("ANALYZE stepwell_done")
    with store.transaction() as tx:
        counts = tx.count(StepQuery(), 100)
        assert (counts.more, counts.estimated) == ((), (StepStatus.DONE,))
        assert 400 <= counts.done <= 600
        named = tx.count(StepQuery(name="v1/work"), 100)
        assert (named.done, named.more, named.estimated) == (100, (StepStatus.DONE,), ())
    assert now() > OLD[1]
