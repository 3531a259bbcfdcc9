"""The first claim of an idle engine, which goes out while its thread wakes up (decision 124)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, LiteralString, TypeAlias
from uuid import UUID

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from tests.stores.postgres.plans import explain, indexes, whole_tables
from tests.stores.postgres.support import (
    NAME,
    PATIENCE,
    add,
    claim,
    engine,
    ids,
    listening,
    make,
    request,
    until,
)

from stepwell.errors import EngineBuried, StoreUnavailable
from stepwell.step import Step
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres.claiming import FEW, first_few
from stepwell.stores.postgres.prepared import NEVER, Own
from stepwell.stores.postgres.queries import Call, numbered
from stepwell.stores.postgres.wake import PostgresWake
from stepwell.stores.postgres.warm import KEPT
from stepwell.stores.protocol import Claimed

ONE: Call = numbered("SELECT 1"), {}
OTHER: Call = numbered("SELECT 2"), {}
WRONG: Call = numbered("SELECT 1 / 0"), {}
QUEUE = ("default",)
Before: TypeAlias = Callable[[UUID], object]


def _nothing(_: UUID) -> None:
    """Nothing happens before."""


@pytest.fixture
def own(postgres_url: str) -> Iterator[Own]:
    with closing(Own.connect(postgres_url, prepare_threshold=NEVER)) as connection:
        yield connection


# -- on a connection -----------------------------------------------------------------------


def test_what_was_asked_early_is_answered_in_the_transaction_that_asks_it(own: Own) -> None:
    assert own.prepared.ask_early(ONE)
    own.prepared.begin()
    assert own.prepared.asked_early(ONE) == [(1,)]
    assert _status(own) is TransactionStatus.INTRANS
    assert own.prepared.rows(OTHER) == [[(2,)]]
    assert own.prepared.commit() == ([], False)
    assert _status(own) is TransactionStatus.IDLE


def test_it_is_answered_once(own: Own) -> None:
    own.prepared.ask_early(ONE)
    assert own.prepared.asked_early(ONE) == [(1,)]
    assert own.prepared.asked_early(ONE) is None
    assert own.prepared.rows(ONE) == [[(1,)]]


def test_who_asks_something_else_is_answered_that(own: Own) -> None:
    for _ in range(2):
        own.prepared.ask_early(ONE)
        own.prepared.begin()
        assert own.prepared.asked_early(OTHER) is None
        assert own.prepared.rows(OTHER) == [[(2,)]]
        assert own.prepared.asked_early(ONE) is None
        assert own.prepared.commit(OTHER) == ([[(2,)]], False)


def test_an_early_question_that_fails_is_an_error_of_who_uses_the_connection(own: Own) -> None:
    own.prepared.ask_early(WRONG)
    with pytest.raises(psycopg.errors.DivisionByZero):
        own.prepared.asked_early(WRONG)
    own.rollback()
    own.prepared.ask_early(WRONG)
    with pytest.raises(psycopg.errors.DivisionByZero):
        own.prepared.rows(ONE)
    own.rollback()
    assert own.prepared.rows(ONE) == [[(1,)]]


def test_a_library_that_would_wait_for_the_answer_asks_nothing_early(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.Pipeline, "is_supported", lambda: False)
    with closing(Own.connect(postgres_url, prepare_threshold=NEVER)) as own:
        assert not own.prepared.ask_early(ONE)
        assert _status(own) is TransactionStatus.IDLE
        own.prepared.begin()
        assert own.prepared.asked_early(ONE) is None
        assert own.prepared.rows(ONE) == [[(1,)]]


# -- of an engine --------------------------------------------------------------------------


def test_who_is_woken_by_another_process_finds_its_first_rows_locked(
    store: PostgresStore, postgres_steps: str
) -> None:
    step = make(state='{"a": 1}')
    with _woken(store, postgres_steps, step) as me:
        assert _unlocked(postgres_steps) == set()
        claimed = _by_lock(store, me.id)
    assert ids(claimed.steps) == {step.id}
    assert claimed.next_due is not None, "the engine looks again when it has run"
    assert _unlocked(postgres_steps) == {step.id}


def test_it_gets_them_as_it_would_by_asking_then(store: PostgresStore, postgres_steps: str) -> None:
    step = make(search_key="k", description="d", correlation_id="c")
    with _woken(store, postgres_steps, step) as me:
        (early,) = _by_lock(store, me.id).steps
    (asked,) = _by_lock(store, me.id).steps
    assert early.claimed_at is not None
    assert asked.claimed_at is not None
    assert early.claimed_at < asked.claimed_at
    assert replace(early, claimed_at=None) == replace(asked, claimed_at=None)


@pytest.mark.parametrize(
    "steps",
    [
        [make() for _ in range(FEW + 1)],
        [make(priority=1), make(priority=2)],
        [make("v1/elsewhere"), make()],
    ],
    ids=["more than a few", "of two bands", "behind one that it does not handle"],
)
def test_where_there_is_more_to_know_it_asks_itself(
    store: PostgresStore, postgres_steps: str, steps: list[Step]
) -> None:
    with _woken(store, postgres_steps, *steps) as me:
        claimed = _by_lock(store, me.id)
    assert ids(claimed.steps) == {step.id for step in steps if step.name == NAME}
    assert claimed.next_due is None, "it knows that there is no more"


def test_no_more_rows_come_than_are_asked_for(store: PostgresStore, postgres_steps: str) -> None:
    first, second = make(), make()
    with _woken(store, postgres_steps, first, second) as me:
        claimed = _by_lock(store, me.id, limit=1)
    assert ids(claimed.steps) == {first.id}


def test_a_claim_that_is_written_takes_them_too(store: PostgresStore, postgres_steps: str) -> None:
    step = make()
    with _woken(store, postgres_steps, step) as me:
        assert ids(claim(store, me.id).steps) == {step.id}
    with store.transaction() as tx:
        assert [one.step_id for one in tx.claimed(me.id)] == [step.id]


def test_who_has_been_buried_gets_nothing(store: PostgresStore, postgres_steps: str) -> None:
    def bury(engine_id: UUID) -> None:
        with store.transaction() as tx:
            assert tx.bury(engine_id, beat=0) is not None

    with (
        _woken(store, postgres_steps, make(), before=bury) as me,
        pytest.raises(EngineBuried),
    ):
        _by_lock(store, me.id)


def test_an_engine_cannot_be_buried_while_it_is_asked_for(
    store: PostgresStore, postgres_steps: str
) -> None:
    """Its claims stand from then on (R11)."""
    free = "SELECT id FROM stepwell_engines FOR UPDATE SKIP LOCKED"
    with _woken(store, postgres_steps, make()) as me:
        with psycopg.connect(postgres_steps) as somebody:
            assert (me.id,) not in somebody.execute(free).fetchall()
        assert len(_by_lock(store, me.id).steps) == 1
    with psycopg.connect(postgres_steps) as somebody:
        assert (me.id,) in somebody.execute(free).fetchall()


def test_another_thread_does_not_get_what_was_asked_for_this_one(
    store: PostgresStore, postgres_steps: str
) -> None:
    step, got = make(), list[Claimed]()
    with _woken(store, postgres_steps, step) as me:
        other = threading.Thread(target=lambda: got.append(_by_lock(store, engine(store))))
        other.start()
        other.join(PATIENCE)
        assert [one.steps for one in got] == [()]
        assert ids(_by_lock(store, me.id).steps) == {step.id}


def test_a_transaction_that_asks_something_else_holds_the_rows_until_its_end_alone(
    store: PostgresStore, postgres_steps: str
) -> None:
    step = make()
    with _woken(store, postgres_steps, step) as me:
        with store.transaction() as tx:
            assert tx.claimed(me.id) == []
        assert _unlocked(postgres_steps) == {step.id}
        assert ids(_by_lock(store, me.id).steps) == {step.id}


@pytest.mark.parametrize("end", ["waits again", "waits for nothing more", "the store is closed"])
def test_rows_that_nobody_comes_for_are_let_go(
    store: PostgresStore, postgres_steps: str, end: str
) -> None:
    step = make()
    with _woken(store, postgres_steps, step) as me:
        assert _unlocked(postgres_steps) == set()
        if end == "waits again":
            me.wake.wait(0)
        elif end == "waits for nothing more":
            me.wake.close()
        else:
            store.close()
        assert _unlocked(postgres_steps) == {step.id}
        assert ids(_by_lock(store, me.id).steps) == {step.id}


@pytest.mark.parametrize("way", ["claims fewer", "asks something else", "waits again"])
def test_others_are_told_of_rows_that_were_locked_for_nothing(
    store: PostgresStore, postgres_steps: str, way: str
) -> None:
    """Who looked while they were locked has found nothing, and sleeps."""
    first, second = make(), make()
    with (
        closing(PostgresStore(postgres_steps)) as other,
        _woken(store, postgres_steps, first, second) as me,
        listening(other) as waiter,
    ):
        assert claim(other, engine(other)).steps == ()
        if way == "claims fewer":
            assert ids(_by_lock(store, me.id, limit=1).steps) == {first.id}
        elif way == "asks something else":
            with store.transaction() as tx:
                assert tx.claimed(me.id) == []
        else:
            assert me.wake.wait(0), "it has not looked either"
        assert waiter.wait(PATIENCE)


def test_nobody_is_told_of_rows_that_are_taken(store: PostgresStore, postgres_steps: str) -> None:
    with (
        closing(PostgresStore(postgres_steps)) as other,
        _woken(store, postgres_steps, make(), make()) as me,
        listening(other) as waiter,
    ):
        assert len(_by_lock(store, me.id).steps) == 2
        assert not waiter.wait(0.2)


def test_a_waiter_that_says_nothing_of_its_claim_is_only_woken(
    store: PostgresStore, postgres_steps: str
) -> None:
    step = make()
    with _woken(store, postgres_steps, step, tells=False, asks=False):
        assert _unlocked(postgres_steps) == {step.id}


def test_nothing_is_asked_where_no_connection_is_idle(
    store: PostgresStore, postgres_steps: str
) -> None:
    """It would wait for one, and nobody would hear of anything meanwhile."""
    step = make()
    with ExitStack() as used:

        def use_all(_: UUID) -> None:
            for _one in range(KEPT):
                used.enter_context(store.transaction())

        with _woken(store, postgres_steps, step, asks=False, before=use_all):
            assert _unlocked(postgres_steps) == {step.id}


def test_a_connection_that_was_cut_is_replaced(store: PostgresStore, postgres_steps: str) -> None:
    step = make()

    def cut(_: UUID) -> None:
        _end(postgres_steps, "query NOT LIKE 'LISTEN%'")

    with _woken(store, postgres_steps, step, asks=False, before=cut) as me:
        assert ids(_by_lock(store, me.id).steps) == {step.id}


def test_a_connection_that_is_cut_with_the_answer_on_it_is_an_outage_of_one_claim(
    store: PostgresStore, postgres_steps: str
) -> None:
    step = make()
    with _woken(store, postgres_steps, step) as me:
        _end(postgres_steps, "state = 'idle in transaction'")
        with pytest.raises(StoreUnavailable):
            _by_lock(store, me.id)
        assert ids(_by_lock(store, me.id).steps) == {step.id}


def test_the_early_claim_reads_due_rows_by_their_index_alone(store: PostgresStore) -> None:
    _, values = first_few(engine(store), QUEUE)
    plan = explain(store, ("claim_few",), dict(values))
    assert whole_tables(plan) == set()
    assert indexes(plan) <= {"stepwell_ready_claim", "stepwell_engines_pkey"}


# -- helpers -------------------------------------------------------------------------------


def _status(own: Own) -> TransactionStatus:
    return own.info.transaction_status


@dataclass
class Woken:
    """An engine, and what its thread, which is this one, waits with."""

    id: UUID
    wake: PostgresWake


@contextmanager
def _woken(
    store: PostgresStore,
    url: str,
    *steps: Step,
    tells: bool = True,
    asks: bool = True,
    before: Before = _nothing,
) -> Iterator[Woken]:
    """An engine that another process has woken with these steps.

    Parameters
    ----------
    tells : whether the waiter says what it claims next.
    asks : whether that is asked, so that the server answers it.
    before : called with the engine's id before the steps are added.
    """
    me = engine(store)
    with listening(store) as wake:

        def tell() -> None:
            before(me)
            with closing(PostgresStore(url)) as other:
                add(other, *steps)

        timer = threading.Timer(0.05, tell)
        timer.start()
        assert wake.wait(PATIENCE, request(me, locking=True) if tells else None)
        timer.join(PATIENCE)
        if asks:
            until(lambda: _are_asked(url))
        yield Woken(me, wake)


def _by_lock(store: PostgresStore, engine_id: UUID, **fields: Any) -> Claimed:
    return claim(store, engine_id, locking=True, **fields)


def _are_asked(url: str) -> bool:
    """Whether a transaction that nobody uses yet waits with its answer."""
    with psycopg.connect(url) as somebody:
        waits = "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"
        mine = (
            " AND datname = current_database() AND query LIKE '%The claim by lock that goes out%'"
        )
        return somebody.execute(waits + mine).fetchone() is not None


def _unlocked(url: str) -> set[UUID]:
    """The rows that nobody holds a lock of."""
    with psycopg.connect(url) as somebody:
        found = somebody.execute("SELECT id FROM stepwell_ready FOR UPDATE SKIP LOCKED").fetchall()
        somebody.rollback()
    return {row[0] for row in found}


def _end(url: str, which: LiteralString) -> None:
    """Cut these lines of the store, at the server's end."""
    mine = (
        "datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'stepwell'"
    )
    with psycopg.connect(url, autocommit=True) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            f" WHERE {mine} AND {which}"
        ).fetchall()
    assert ended
