"""Notifications: of due work alone, seldom, and never lost for long (R25)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from tempfile import TemporaryFile
from typing import Any

import psycopg
import pytest
from tests.stores.postgres.support import (
    PATIENCE,
    add,
    claim,
    engine,
    listening,
    make,
    outcome,
    settle,
    until,
)

from stepwell.clock import now
from stepwell.step import Addition, StepQuery
from stepwell.stores.postgres import PostgresStore, wake
from stepwell.stores.postgres.transaction import PostgresTransaction
from stepwell.stores.postgres.wake import INTERVAL, POLL, Bell

TOMORROW = timedelta(days=1)


def test_a_flood_of_commits_is_told_once_per_interval(
    store: PostgresStore, ear: psycopg.Connection[Any]
) -> None:
    begun = time.monotonic()
    for _ in range(100):
        add(store, make())
    store.close()
    lasted = time.monotonic() - begun
    assert 1 <= _heard(ear, 1) <= lasted / INTERVAL + 2


def test_the_last_of_many_commits_is_told_too(
    store: PostgresStore, ear: psycopg.Connection[Any]
) -> None:
    add(store, make())
    assert _heard(ear, 1) == 1
    add(store, make())
    assert _heard(ear, 1) == 1


def test_a_commit_stands_where_no_thread_is_given_to_tell_of_it(
    store: PostgresStore, ear: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later commits are told of again."""
    start = threading.Thread.start

    def denied(self: threading.Thread) -> None:
        raise RuntimeError(f"can't start new thread {self.name}")

    add(store, make())
    assert _heard(ear, 1) == 1
    monkeypatch.setattr(wake, "INTERVAL", 1e6)
    monkeypatch.setattr(threading.Thread, "start", denied)
    assert add(store, make()) == [True]
    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr(wake, "INTERVAL", INTERVAL)
    add(store, make())
    assert _heard(ear, 1) == 1


def test_what_is_due_later_is_not_told(store: PostgresStore, ear: psycopg.Connection[Any]) -> None:
    step = make(schedule_time=now() + TOMORROW)
    add(store, step)
    with store.transaction() as tx:
        tx.activate(step.id, None, now() + TOMORROW)
        tx.reschedule(step.id, now() + TOMORROW)
    assert _heard(ear) == 0


def test_claims_and_plain_settlements_are_not_told(
    store: PostgresStore, ear: psycopg.Connection[Any]
) -> None:
    add(store, make())
    _heard(ear, 1)
    me = engine(store)
    (held,) = claim(store, me).steps
    settle(store, me, outcome(held))
    assert _heard(ear) == 0


@pytest.mark.parametrize("verb", ["activate", "reschedule", "release", "spawn", "rerun"])
def test_whatever_makes_work_due_is_told(
    store: PostgresStore, ear: psycopg.Connection[Any], verb: str
) -> None:
    step, later = make(), make(schedule_time=now() + TOMORROW)
    add(store, step, later)
    me = engine(store)
    (held,) = claim(store, me).steps
    _heard(ear, 1)
    verbs: dict[str, Callable[[PostgresTransaction], object]] = {
        "activate": lambda tx: tx.activate(later.id, "1", None),
        "reschedule": lambda tx: tx.reschedule(later.id, now()),
        "release": lambda tx: tx.release(me, [held.claim]),
        "spawn": lambda tx: tx.settle(me, [outcome(held, make())]),
        "rerun": lambda tx: tx.settle(me, [outcome(held, ended_as=None)]),
    }
    with store.transaction() as tx:
        verbs[verb](tx)
    assert _heard(ear, 1) == 1


def test_a_rolled_back_transaction_tells_nobody(
    store: PostgresStore, ear: psycopg.Connection[Any]
) -> None:
    def fail() -> None:
        with store.transaction() as tx:
            tx.add([Addition(make())])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _heard(ear) == 0


def test_a_lent_connection_tells_with_its_own_commit(
    store: PostgresStore, ear: psycopg.Connection[Any], postgres_steps: str
) -> None:
    with closing(psycopg.connect(postgres_steps)) as mine:
        store.on(mine).add([Addition(make())])
        store.on(mine).add([Addition(make())])
        assert _heard(ear) == 0
        mine.commit()
        assert _heard(ear, 1) == 1


def test_a_program_that_only_adds_and_ends_at_once_is_heard(
    postgres_steps: str, ear: psycopg.Connection[Any], store: PostgresStore
) -> None:
    adding = PostgresStore(postgres_steps)
    add(adding, make())
    adding.close()
    assert _heard(ear, 1) == 1


def test_who_sees_that_a_store_listens_has_been_rung_for_what_was_before(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the ring for it may come at any later moment, and is taken for news."""
    bell, rung = store._bell, list[bool]()
    monkeypatch.setattr(bell, "_ring_here", lambda: rung.append(bell.listening))
    store.wake().wait(0)
    until(lambda: bell.listening)
    assert rung == [False]


def test_a_wait_that_began_just_before_a_store_listened_does_not_end_with_the_next_poll(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ring for what was before was heard by the wait before it."""
    wake = store.wake()

    def listen() -> None:
        monkeypatch.setattr(store._bell, "listening", True)

    timer = threading.Timer(0.05, listen)
    monkeypatch.setattr(store._bell, "listen", timer.start)
    monkeypatch.setattr("stepwell.stores.postgres.wake.POLL", 0.2)
    begun = time.monotonic()
    assert not wake.wait(0.5)
    assert time.monotonic() - begun >= 0.5


def test_nobody_listens_for_an_engine_that_has_not_waited_yet(
    store: PostgresStore, postgres_steps: str
) -> None:
    before = _listeners(postgres_steps)
    wake = store.wake()
    with store.transaction() as tx:
        tx.search(StepQuery())
    assert _listeners(postgres_steps) == before
    wake.wait(0)
    until(lambda: _listeners(postgres_steps) - before)
    wake.close()


def test_a_wake_whose_line_is_cut_says_that_something_may_have_changed(
    store: PostgresStore, postgres_steps: str
) -> None:
    with listening(store) as wake:
        _end_listener(postgres_steps)
        assert wake.wait(PATIENCE)


def test_a_wake_whose_line_is_cut_hears_again(store: PostgresStore, postgres_steps: str) -> None:
    with listening(store) as wake:
        before = _listeners(postgres_steps)
        _end_listener(postgres_steps)
        until(lambda: _listeners(postgres_steps) - before)
        while wake.wait(0.2):
            pass
        other = PostgresStore(postgres_steps)
        add(other, make())
        assert wake.wait(PATIENCE)
        other.close()


def test_while_the_line_is_down_it_is_tried_with_pauses() -> None:
    """Also with news to tell: the call for them must not make the thread spin."""
    tries: list[float] = []

    def connect() -> psycopg.Connection[Any]:
        tries.append(time.monotonic())
        raise psycopg.OperationalError("refused")

    bell = Bell(connect, lambda: None)
    bell.ring()
    wake = bell.wake()
    assert wake.wait(POLL * 2)
    until(lambda: len(tries) > 4)
    bell.close()
    pauses = [later - sooner for sooner, later in pairwise(tries)]
    short = [one for place, one in enumerate(pauses[:4], 1) if one < 0.8 * INTERVAL * 2**place]
    assert len(short) <= 1, "the call may end one of them"


def test_a_first_commit_needs_no_thread_to_tell_of_it(
    store: PostgresStore, ear: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._bell, "_tell_others", lambda connection: None)
    add(store, make())
    assert _heard(ear, 1) == 1


def test_a_step_its_commit_and_the_news_of_it_travel_together(store: PostgresStore) -> None:
    """Each journey ends with the server's readiness."""
    assert store._pool is not None
    store.add([Addition(make())])
    connection = store._pool.take()
    store._pool.give_back(connection)  # and it is the first that is taken again
    with TemporaryFile("w+") as messages:
        connection.pgconn.trace(messages.fileno())
        store.add([Addition(make())])
        connection.pgconn.untrace()
        messages.seek(0)
        assert sum("\tReadyForQuery\t" in line for line in messages) == 1


def test_a_commit_is_good_though_telling_of_it_fails(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, rings = make(), list[bool]()
    with monkeypatch.context() as patched:
        patched.setattr(store._bell, "name", "longer than the server takes" * 1000)
        patched.setattr(store._bell, "ring", lambda *, told: rings.append(told))
        assert add(store, step) == [True]
    assert rings == [False], "the others are still to be told"
    with store.transaction() as tx:
        assert [found.id for found in tx.search(StepQuery())] == [step.id]


def test_a_process_does_not_hear_its_own_commits_again(
    store: PostgresStore, ear: psycopg.Connection[Any]
) -> None:
    with listening(store) as wake:
        add(store, make())
        assert wake.wait(PATIENCE)
        assert _heard(ear, 1) == 1
        assert not wake.wait(INTERVAL * 8)


def test_a_wake_behind_a_pooler_polls_every_second(postgres_steps: str) -> None:
    store = PostgresStore(postgres_steps, pooler=True)
    wake = store.wake()
    begun = time.monotonic()
    assert wake.wait(PATIENCE)
    assert POLL * 0.9 < time.monotonic() - begun < PATIENCE / 2
    assert add(store, make()) == [True]
    assert wake.wait(PATIENCE)
    store.close()


def test_a_wake_behind_a_pooler_may_have_a_line_of_its_own(postgres_steps: str) -> None:
    store = PostgresStore(postgres_steps, pooler=True, notify_url=postgres_steps)
    with listening(store) as wake:
        other = PostgresStore(postgres_steps)
        add(other, make())
        assert wake.wait(PATIENCE)
        other.close()
    store.close()


def test_a_closed_wake_is_not_rung(store: PostgresStore) -> None:
    with listening(store) as wake:
        pass
    add(store, make())
    assert not wake._event.is_set()


# -- helpers ---------------------------------------------------------------------------------


@pytest.fixture
def ear(store: PostgresStore, postgres_steps: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of somebody else that listens."""
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        connection.execute("LISTEN stepwell_wake")
        yield connection


def _heard(ear: psycopg.Connection[Any], expected: int = 0) -> int:
    """How many notifications come: those expected, whenever that is, and others within several
    intervals."""
    waits = ear.notifies(timeout=PATIENCE, stop_after=expected) if expected else ()
    return sum(1 for _ in waits) + sum(1 for _ in ear.notifies(timeout=INTERVAL * 8))


def _listeners(url: str) -> set[int]:
    """The processes of the database's server that listen."""
    with psycopg.connect(url, autocommit=True) as admin:
        found = admin.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        return {pid for (pid,) in found}


def _end_listener(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        for pid in _listeners(url):
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
