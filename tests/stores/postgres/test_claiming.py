"""Claims of many engines at once, and what a claim costs when there is much else."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from tests.stores.postgres.plans import OF_LANE, blocks, explain, indexes, of_claim, whole_tables
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

from stepwell.clock import now
from stepwell.errors import EngineBuried
from stepwell.ids import new_id
from stepwell.step import Retention, StepQuery
from stepwell.stores.postgres import PostgresStore, claiming, settling

CROWD = (
    ("done", 40_000, "-1 minute", "now(), 'done', NULL"),
    ("ready", 30_000, "1 day", "NULL, NULL, NULL"),
    ("ready", 10_000, "-1 minute", "NULL, NULL, gen_random_uuid()"),
    ("ready", 500, "-1 minute", "NULL, NULL, NULL"),
)
"""Table, rows, due, and ended_at, ended_as, claimed_by."""

DRAIN = """
import sys
from stepwell.stores.postgres import PostgresStore
from tests.stores.postgres.support import claim, engine
store = PostgresStore(sys.argv[1])
me = engine(store)
print("ready", flush=True)
sys.stdin.readline()
while True:
    claimed = claim(store, me, limit=7)
    for step in claimed.steps:
        print(step.id)
    if not claimed.steps and claimed.next_due is None:
        break
store.close()
"""
"""A process that claims until nothing is left, and says what it got."""


def test_engines_that_claim_at_once_share_no_row(store: PostgresStore) -> None:
    rows = [make(priority=place % 4) for place in range(400)]
    add(store, *rows)
    start = threading.Barrier(8)

    def drain() -> list[UUID]:
        me = engine(store)
        got: list[UUID] = []
        start.wait(PATIENCE)
        while True:
            claimed = claim(store, me, limit=7)
            got.extend(step.id for step in claimed.steps)
            if not claimed.steps and claimed.next_due is None:
                return got

    with ThreadPoolExecutor(8) as pool:
        got = [one for share in pool.map(lambda _: drain(), range(8)) for one in share]
    assert len(got) == len(rows)
    assert set(got) == ids(rows)


def test_processes_that_claim_at_once_share_no_row(
    store: PostgresStore, postgres_steps: str
) -> None:
    rows = [make() for _ in range(200)]
    add(store, *rows)
    children = [_start(DRAIN, postgres_steps) for _ in range(3)]
    for child in children:
        assert _line(child) == "ready"
    outputs = [child.communicate("go\n", timeout=PATIENCE)[0] for child in children]
    got = [UUID(line) for output in outputs for line in output.split()]
    assert len(got) == len(rows)
    assert set(got) == ids(rows)


def test_a_claim_by_lock_brings_all_that_stands_on_a_row(store: PostgresStore) -> None:
    """Also what came there since it was added: it has failed, was changed and given back."""
    step = make(
        unique_key="a",
        correlation_id="b",
        search_key="c",
        created_by_step_id=new_id(),
        copy_of=new_id(),
        join_id=new_id(),
        retention=Retention.LONG,
    )
    add(store, step)
    me, other = engine(store), engine(store)
    (held,) = claim(store, me).steps
    failed = {"description": "again", "failure_count": 1, "fingerprint": "d", "result": "no"}
    settle(store, me, outcome(held, ended_as=None, **failed))
    with store.transaction() as tx:
        assert tx.activate(step.id, "[1]", None)
    claim(store, me)
    with store.transaction() as tx:
        assert tx.reschedule(step.id, now())
    claim(store, other)
    _bury(store, other)
    with store.transaction() as tx:
        (row,) = tx.search(StepQuery(unique_key="a"))
    with store.transaction() as tx:
        (mine,) = tx.claim(request(me, locking=True)).steps
    at, number = mine.claimed_at, row.claim_no + 1
    assert mine == replace(row, claimed_by=me, claim_no=number, claimed_at=at)
    assert (row.failure_count, row.activation_args, row.lost_count) == (1, "[1]", 1)


def test_a_claim_passes_over_rows_that_another_is_just_taking(store: PostgresStore) -> None:
    rows = [make() for _ in range(4)]
    add(store, *rows)
    mine, theirs = engine(store), engine(store)
    with store.transaction() as tx:
        first = tx.claim(request(mine, limit=2)).steps
        second = claim(store, theirs, limit=2).steps
    assert len(second) == 2
    assert ids(first) | ids(second) == ids(rows)


def test_a_claim_that_still_commits_is_given_back_by_the_burial(store: PostgresStore) -> None:
    """The burial waits for it, and then looks with fresh eyes (R11)."""
    add(store, make())
    dead = engine(store)
    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as tx:
            (taken,) = tx.claim(request(dead)).steps
            burial = pool.submit(_bury, store, dead)
            _wait_for_a_lock(store)
        released = burial.result(PATIENCE)
    assert released == 1
    with store.transaction() as tx:
        (row,) = tx.search(StepQuery(ids=(taken.id,)))
    assert (row.claimed_by, row.claim_no, row.lost_count) == (None, 2, 1)


def test_an_engine_that_is_killed_leaves_its_claims_to_whoever_buries_it(
    store: PostgresStore, postgres_steps: str
) -> None:
    rows = [make() for _ in range(5)]
    add(store, *rows)
    child = _start(
        """
import sys
from stepwell.stores.postgres import PostgresStore
from tests.stores.postgres.support import claim, engine
store = PostgresStore(sys.argv[1])
me = engine(store)
with store.transaction() as tx:
    tx.beat(me, [step.claim for step in claim(store, me, limit=2).steps])
print(me, flush=True)
sys.stdin.readline()
""",
        postgres_steps,
    )
    dead = UUID(_line(child))
    child.kill()
    child.communicate(timeout=PATIENCE)
    mine = engine(store)
    assert len(claim(store, mine).steps) == 3
    assert _bury(store, dead, beat=1) == 2
    again = claim(store, mine).steps
    assert sorted(step.lost_count for step in again) == [1, 1]
    assert settle(store, mine, *[outcome(step) for step in again]) == ["applied"] * 2


@pytest.fixture(scope="module")
def crowded(postgres_database: Callable[[], str]) -> Iterator[PostgresStore]:
    """40,000 done rows, 30,000 of the future, 10,000 claimed, and 500 that are due."""
    url = postgres_database()
    store = PostgresStore(url)
    store.migrate()
    with psycopg.connect(url) as connection:
        for place, (table, count, due, fields) in enumerate(CROWD):
            step_id = f"'0199000{place}-0000-7000-8000-' || lpad(to_hex(number), 12, '0')"
            connection.execute(
                f"""INSERT INTO stepwell_{table} (id, name, flow_id, created_at, schedule_time,
                queue, priority, retention, state_format, activation_no, activation_seen,
                execution_count, failure_count, lost_count, result_format, ended_at, ended_as,
                claimed_by, claim_no, started, parked)
                SELECT ({step_id})::uuid, 'v1/work', ({step_id})::uuid, now(),
                now() + interval '{due}', 'default', number % 4, 1,
                'json', 0, 0, 0, 0, 0, 'json', {fields}, 0, false, false
                FROM generate_series(1, {count}) AS number""".encode()
            )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    yield store
    store.close()


@pytest.mark.parametrize("limit", [1, 100])
def test_a_claim_reads_due_rows_alone_however_many_others_there_are(
    crowded: PostgresStore, limit: int
) -> None:
    wanted = request(engine(crowded), limit=limit)
    values = claiming._values(wanted, limit)
    statement = (
        "claim_parking",
        "claim_from_queues",
        "claim_limited_outlook",
        "claim_rank",
        "claim_mark",
        "claim_answer",
    )
    plan = explain(crowded, statement, values)
    assert whole_tables(plan) == set()
    assert "stepwell_ready_claim" in indexes(plan)
    # Each row is read by the look ahead, by the lock and by the update, with their indexes.
    assert blocks(plan) < 150 + 60 * limit


def test_a_claim_by_lock_reads_no_table_as_a_whole(crowded: PostgresStore) -> None:
    plan = explain(crowded, OF_LANE, of_claim(crowded))
    assert whole_tables(plan) == set()
    assert blocks(plan) < 150


@pytest.mark.parametrize("due", [0, 3])
@pytest.mark.parametrize("foreign", [0, 3])
def test_a_claim_by_lock_weighs_nothing_for_the_sake_of_parked_rows_of_others(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, due: int, foreign: int
) -> None:
    """R19: what no engine here handles costs those nothing that are here."""
    me = engine(store)
    add(store, *[make("v1/elsewhere") for _ in range(foreign)])
    claim(store, me)
    later = now() + timedelta(hours=1)
    add(store, *[make() for _ in range(due)], make(schedule_time=later))
    monkeypatch.setattr(claiming, "_weighed", _must_not_be_asked)
    claimed = claim(store, me, locking=True)
    assert len(claimed.steps) == due
    assert claimed.next_due is not None
    assert abs(claimed.next_due - later) < timedelta(seconds=1)


def test_a_claim_by_lock_takes_parked_rows_of_the_engines_own_names(store: PostgresStore) -> None:
    other = engine(store)
    parked, fresh = make(), make()
    add(store, parked)
    claim(store, other, names=("v1/elsewhere",))
    add(store, fresh)
    assert ids(claim(store, engine(store), locking=True).steps) == ids([parked, fresh])


def test_a_burial_gives_back_what_was_just_being_spawned_as_claimed(store: PostgresStore) -> None:
    """R11, R21: also where the transaction has not claimed, as when nothing was due lately."""
    add(store, make())
    me = engine(store)
    (parent,) = claim(store, me).steps
    child = make(claimed_by=me, claim_no=1, claim_request=new_id(), claimed_at=now())
    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as tx:
            tx.settle(me, [outcome(parent, child)])
            buried = pool.submit(_bury, store, me)
            _wait_for_a_lock(store)
        assert buried.result(PATIENCE) == 1
    assert ids(claim(store, engine(store)).steps) == ids([child])


def test_nothing_is_spawned_as_claimed_by_an_engine_that_is_buried(store: PostgresStore) -> None:
    add(store, make())
    me = engine(store)
    locked = claim(store, me, locking=True).steps[0]  # by a lock that is lost, and leaves no trace
    _bury(store, me)
    child = make(claimed_by=me, claim_no=1, claim_request=new_id(), claimed_at=now())
    with pytest.raises(EngineBuried):
        settle(store, me, outcome(locked, child, unwritten=True))
    assert ids(claim(store, engine(store)).steps) == ids([locked])


def test_a_settlement_reads_its_own_rows_alone(crowded: PostgresStore) -> None:
    me = engine(crowded)
    steps = claim(crowded, me, limit=10).steps
    asked = settling.Asked([me] * 10, [outcome(step) for step in steps], packed=True)
    plan = explain(crowded, (*asked.parts, "settle_answer"), asked.values)
    assert whole_tables(plan) == set()
    assert blocks(plan) < 1500


# -- helpers ---------------------------------------------------------------------------------


def _must_not_be_asked(*_: object) -> None:
    raise AssertionError("the long form of the claim was asked")


def _bury(store: PostgresStore, engine_id: UUID, beat: int = 0) -> int:
    with store.transaction() as tx:
        burial = tx.bury(engine_id, beat)
    assert burial is not None
    return burial.released


def _wait_for_a_lock(store: PostgresStore) -> None:
    """Until some session of the database waits for another's lock."""
    waiter = threading.Event()
    for _ in range(9000):
        with store.transaction() as tx:
            waiting = tx.connection.execute(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchall()
        if waiting:
            return
        waiter.wait(0.01)
    raise AssertionError("nobody waits")


def _start(program: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_what_is_due_when_it_is_made_is_due_now_however_far_ahead_its_makers_clock_is(
    store: PostgresStore,
) -> None:
    """R17; a time of one's own is kept as it was given."""
    ahead = now() + timedelta(minutes=5)
    at_once = make(created_at=ahead, schedule_time=ahead)
    later = make(created_at=now(), schedule_time=ahead)
    add(store, at_once, later)
    claimed = claim(store, engine(store))
    assert ids(claimed.steps) == {at_once.id}
    assert claimed.next_due == ahead
