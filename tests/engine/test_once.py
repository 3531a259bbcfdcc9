"""Exactly once: what a handler writes commits with its step (R26)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from tests.engine.shop import INSERT, Shop, postgres_shop, sqlite_shop

from stepwell import (
    Engine,
    FailStep,
    Outcome,
    Registry,
    RetryPolicy,
    Step,
    StepClient,
    StepStatus,
    done,
    fail,
    new_step,
    rerun,
)
from stepwell.engine import worker
from stepwell.errors import NotSupported, OutsideTransaction
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Exclusive, Store
from stepwell.testing.store_contract import Where, lost

__all__ = ["postgres_shop", "sqlite_shop"]  # fixtures, found by name

SOON = RetryPolicy(delays=(0.01,))


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """A shop on each store that can do it."""
    made: Shop = request.getfixturevalue(f"{request.param}_shop")
    return made


def test_what_a_handler_writes_its_settlement_and_its_spawned_steps_commit_together(
    shop: Shop, registry: Registry
) -> None:
    seen: list[tuple[int, int]] = []

    @registry.handler("v1/buy")
    def buy(connection: Any, state: int) -> Outcome:
        connection.execute(INSERT)
        seen.append((shop.orders, StepClient(shop.store).count(status=StepStatus.DONE).done))
        return done(state, next=new_step("v1/mail"))

    registry.handler("v1/mail")(lambda: None)
    engine = Engine(shop.store, registry)
    step_id = engine.add(new_step("v1/buy", 7))
    assert engine.drain().done == 2
    assert seen == [(0, 0)]
    assert shop.orders == 1
    step = StepClient(shop.store).get(step_id)
    assert (step.status, step.result, step.execution_count) == (StepStatus.DONE, "7", 1)


def test_an_exception_takes_back_what_was_written_and_the_step_is_retried(
    shop: Shop, registry: Registry
) -> None:
    @registry.handler("v1/buy", retry=SOON)
    def buy(connection: Any, step: Step) -> None:
        connection.execute(INSERT)
        if step.failure_count < 2:
            raise ValueError("not yet")

    engine = Engine(shop.store, registry)
    step_id = engine.add(new_step("v1/buy"))
    tally = engine.drain(patience=5)
    assert (tally.done, tally.retried, tally.refused) == (1, 2, 0)
    assert shop.orders == 1
    assert StepClient(shop.store).get(step_id).execution_count == 3


def test_the_last_exception_fails_the_step_and_leaves_nothing(
    shop: Shop, registry: Registry
) -> None:
    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1))
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        raise ValueError("never")

    @registry.handler("v1/stop")
    def stop(connection: Any) -> None:
        connection.execute(INSERT)
        raise FailStep("no use")

    engine = Engine(shop.store, registry)
    engine.add_many([new_step("v1/buy"), new_step("v1/stop")])
    assert engine.drain().failed == 2
    assert shop.orders == 0


def test_an_outcome_that_is_returned_commits_whatever_it_is(shop: Shop, registry: Registry) -> None:
    @registry.handler("v1/buy")
    def buy(connection: Any, state: int) -> Outcome:
        connection.execute(INSERT)
        return rerun(state - 1) if state else fail("sold out")

    engine = Engine(shop.store, registry)
    engine.add(new_step("v1/buy", 2))
    tally = engine.drain(patience=5)
    assert (tally.rerun, tally.failed) == (2, 1)
    assert shop.orders == 3


def test_a_result_that_cannot_be_kept_takes_back_what_was_written(
    shop: Shop, registry: Registry
) -> None:
    @registry.handler("v1/buy")
    def buy(connection: Any) -> Outcome:
        connection.execute(INSERT)
        return done("x" * 300_000)

    engine = Engine(shop.store, registry)
    engine.add(new_step("v1/buy"))
    assert engine.drain().failed == 1
    assert shop.orders == 0


def test_a_step_that_may_not_be_spawned_takes_back_what_was_written(
    shop: Shop, registry: Registry
) -> None:
    @registry.handler("v1/buy", retry=RetryPolicy(attempts=2, delays=(0.01,)))
    def buy(connection: Any) -> Outcome:
        connection.execute(INSERT)
        return done(next=new_step("v1/later", unique_key="one"))

    engine = Engine(shop.store, registry)
    engine.add_many([new_step("v1/buy"), new_step("v1/later", unique_key="one")])
    tally = engine.drain(patience=5)
    assert (tally.retried, tally.failed) == (1, 1)
    assert shop.orders == 0


def test_a_claim_that_was_lost_before_the_start_runs_no_user_sql(
    shop: Shop, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R12: it counts as refused, and the step runs under its new claim."""
    monkeypatch.setattr(worker, "GIVE_BACK", 1e6)  # which is another claim, where a thread is late
    claims: list[int] = []

    @registry.handler("v1/buy")
    def buy(connection: Any, step: Step) -> None:
        claims.append(step.claim_no)
        connection.execute(INSERT)

    engine = Engine(shop.store, registry)
    step_id = engine.add(new_step("v1/buy"))

    def take_away() -> None:
        StepClient(shop.store).reschedule(step_id, engine.get(step_id).schedule_time)

    with _before_first(shop.store, take_away):
        tally = engine.drain(patience=5)
    assert (tally.done, tally.refused) == (1, 1)
    assert claims == [3]
    assert shop.orders == 1


@contextmanager
def _before_first(store: Store, act: Callable[[], None]) -> Iterator[None]:
    whole, waiting = store.exclusive, [act]

    def exclusive() -> AbstractContextManager[Exclusive]:
        if waiting:
            waiting.pop()()
        return whole()

    with patch.object(store, "exclusive", exclusive):
        yield


@pytest.mark.parametrize("again", [False, True], ids=["done", "rerun"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_lost_answer_to_the_commit_doubles_nothing_and_loses_nothing(
    shop: Shop, registry: Registry, where: Where, again: bool
) -> None:
    """R13: nor does it count as a failed attempt."""
    runs: list[int] = []

    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1))
    def buy(connection: Any, state: bool) -> Outcome:
        runs.append(1)
        connection.execute(INSERT)
        next_step = new_step("v1/mail")
        later = timedelta(hours=1)  # or it is claimed again before its row was looked at
        return rerun(False, next=next_step, after=later) if state else done(next=next_step)

    registry.handler("v1/mail")(lambda: None)
    engine = Engine(shop.store, registry)
    step_id = engine.add(new_step("v1/buy", again))
    with _cut(shop.store, where, times=2):
        tallies = [engine.drain()]
        if again:
            engine.activate(step_id)
            tallies.append(engine.drain())
    cut = 2 if where == "before" else 0
    assert {(one.failed, one.retried, one.refused) for one in tallies} == {(0, 0, 0)}
    executed = sum(one.done for one in tallies)
    assert (len(runs) - cut, shop.orders, executed) == (1 + again, 1 + again, 2 + again)


@contextmanager
def _cut(store: Store, where: Where, times: int) -> Iterator[None]:
    whole, left = store.exclusive, [where] * times

    @contextmanager
    def exclusive() -> Iterator[Exclusive]:
        cut = left.pop() if left else None
        with whole() as tx:
            yield tx
            if cut == "before":
                raise lost(cut)
        if cut == "after":
            raise lost(cut)

    with patch.object(store, "exclusive", exclusive):
        yield


def test_a_store_that_cannot_be_reached_is_a_pause(shop: Shop, registry: Registry) -> None:
    runs: list[int] = []

    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1))
    def buy(connection: Any) -> None:
        runs.append(1)
        connection.execute(INSERT)

    def gone() -> None:
        raise lost("before")

    engine = Engine(shop.store, registry)
    engine.add(new_step("v1/buy"))
    with _before_first(shop.store, gone):
        assert engine.drain().done == 1
    assert (len(runs), shop.orders) == (1, 1)


def test_steps_are_added_on_the_connection_or_not_at_all(shop: Shop, registry: Registry) -> None:
    """R26: alone they would commit outside, and on SQLite wait for themselves."""
    raised: list[Exception] = []
    engine, other = Engine(shop.store, registry), StepClient(shop.open())
    later = engine.add(new_step("v1/later"))

    @registry.handler("v1/buy", retry=SOON)
    def buy(connection: Any, step: Step) -> None:
        for change in (
            lambda: engine.add(new_step("v1/mail")),
            lambda: engine.cancel(later, "no"),
            lambda: StepClient(shop.store).activate(later),
            lambda: other.add(new_step("v1/mail")),
        ):
            with pytest.raises(OutsideTransaction) as caught:
                change()
            raised.append(caught.value)
        assert engine.get(later).status is StepStatus.READY
        engine.add(new_step("v1/mail"), connection=connection)
        if not step.failure_count:
            raise ValueError("take it back")

    registry.handler("v1/mail")(lambda: None)
    engine.add(new_step("v1/buy"))
    tally = engine.drain(patience=5)
    assert (tally.done, tally.retried) == (2, 1)
    assert len(raised) == 8
    assert "connection=connection" in str(raised[0])


def test_a_handler_that_takes_too_long_is_taken_back(shop: Shop, registry: Registry) -> None:
    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1), transaction_timeout=0.05)
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        time.sleep(0.03)
        connection.execute(INSERT)
        time.sleep(0.03)

    engine = Engine(shop.store, registry)
    step_id = engine.add(new_step("v1/buy"))
    assert engine.drain().failed == 1
    assert shop.orders == 0
    assert "0.05 s" in str(engine.get(step_id).description)


def test_a_statement_that_takes_too_long_is_interrupted(shop: Shop, registry: Registry) -> None:
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"

    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1), transaction_timeout=0.2)
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        connection.execute(f"{numbers} SELECT max(i) FROM n").fetchall()

    engine = Engine(shop.store, registry)
    engine.add(new_step("v1/buy"))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(engine.drain).result(90).failed == 1
    assert shop.orders == 0


def test_a_handler_that_commits_by_itself_fails_an_attempt(shop: Shop, registry: Registry) -> None:
    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1))
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        connection.commit()

    engine = Engine(shop.store, registry)
    engine.add(new_step("v1/buy"))
    assert engine.drain().failed == 1
    assert shop.orders == 0


@pytest.mark.parametrize("how", ["commit", "rollback", "executescript", "__enter__"])
def test_on_sqlite_too_the_handler_is_told_what_it_must_not_do(
    sqlite_shop: Shop, registry: Registry, how: str
) -> None:
    """SQLite alone would say "not authorized", and begin `with connection:` without a word."""

    @registry.handler("v1/buy", retry=RetryPolicy(attempts=1))
    def buy(connection: Any) -> None:
        connection.execute(INSERT)
        getattr(connection, how)(*(["SELECT 1"] if how == "executescript" else []))

    engine = Engine(sqlite_shop.store, registry)
    bought = engine.add(new_step("v1/buy"))
    assert engine.drain().failed == 1
    said = engine.get(bought).description or ""
    assert "is forbidden on the connection that a handler was given" in said
    assert "return to commit, raise to roll back" in said
    assert sqlite_shop.orders == 0


def test_many_steps_leave_as_many_rows(shop: Shop, registry: Registry) -> None:
    registry.handler("v1/buy")(lambda connection: done(connection.execute(INSERT).rowcount))
    registry.handler("v1/plain")(lambda: None)
    engine = Engine(shop.store, registry)
    engine.add_many(new_step(name) for name in ("v1/buy", "v1/plain") for _ in range(40))
    tally = engine.drain()
    assert (tally.done, tally.refused, tally.failed) == (80, 0, 0)
    assert shop.orders == 40


def test_on_sqlite_such_steps_run_one_at_a_time(sqlite_shop: Shop, registry: Registry) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    @registry.handler("v1/buy")
    def buy(connection: Any) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1

    engine = Engine(sqlite_shop.store, registry)
    engine.add_many(new_step("v1/buy") for _ in range(10))
    assert engine.drain().done == 10
    assert most[0] == 1


def test_a_store_that_cannot_do_it_is_refused_before_anything_starts(registry: Registry) -> None:
    registry.handler("v1/buy")(lambda connection: None)
    with pytest.raises(NotSupported, match=r"MemoryStore cannot run v1/buy.*PostgreSQL or MySQL"):
        Engine(MemoryStore(), registry)


def test_a_handler_registered_later_is_refused_at_the_start(registry: Registry) -> None:
    engine = Engine(MemoryStore(), registry)
    registry.handler("v1/buy")(lambda connection: None)
    with pytest.raises(NotSupported):
        engine.start()


def test_a_rerun_is_due_when_it_says(shop: Shop, registry: Registry) -> None:
    @registry.handler("v1/buy")
    def buy(connection: Any) -> Outcome:
        connection.execute(INSERT)
        return rerun(after=timedelta(hours=1))

    engine = Engine(shop.store, registry)
    step_id = engine.add(new_step("v1/buy"))
    assert engine.drain().rerun == 1
    step = engine.get(step_id)
    assert step.schedule_time > step.created_at + timedelta(minutes=59)
    assert (step.claimed_by, shop.orders) == (None, 1)
