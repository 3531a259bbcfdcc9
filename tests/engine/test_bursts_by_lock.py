"""Claims by row locks alone: what is marked when, and what a lost lock means."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import psycopg
import pytest
from tests.engine.lanes import LOCKED, WRITTEN, bury, has_done, open_lane, row, store
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, Step, StepClient, done, new_step
from stepwell.engine import bursts, heartbeat, worker
from stepwell.errors import StoreUnavailable
from stepwell.events import subscribe
from stepwell.ids import new_id
from stepwell.stores.protocol import Claimed, ClaimRequest, Counts, EngineInfo, Store

__all__ = ["open_lane", "store"]


@pytest.fixture
def lane() -> str:
    """Where the steps are, and how they are claimed."""
    return LOCKED


@pytest.fixture
def seen_written(store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the claims of steps `v1/short` stood on their rows while these ran, in order."""
    monkeypatch.setattr(bursts, "LONGEST", 600.0)
    monkeypatch.setattr(bursts, "LULL", 600.0)
    seen: list[bool] = []
    registry.handler("v1/short")(lambda step: seen.append(row(store, step).claimed_by is not None))
    return seen


def test_a_short_step_is_never_marked_as_claimed(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is its claim."""
    monkeypatch.setattr(bursts, "LONGEST", 600.0)
    monkeypatch.setattr(bursts, "LULL", 600.0)
    seen: list[Step] = []
    registry.handler("v1/short")(lambda step: seen.append(row(store, step)))
    engine = Engine(store, registry)
    engine.add(new_step("v1/short"))
    engine.drain()
    assert [(step.claimed_by, step.claim_no) for step in seen] == [(None, 0)]
    assert row(store, seen[0]).claim_no == 1


def test_a_step_that_was_there_when_an_engine_died_is_marked_first(
    store: Store, registry: Registry
) -> None:
    """R15: if it was this step that killed it, it is to leave a trace."""
    seen: list[Step] = []
    registry.handler("v1/odd")(lambda step: seen.append(row(store, step)))
    client = StepClient(store)
    step_id = client.add(new_step("v1/odd"))
    died = Engine(store, Registry(), queues=("elsewhere",))
    died.start()
    with store.transaction() as tx:
        (step,) = tx.claim(request(died, "v1/odd")).steps
        tx.beat(step.claimed_by or new_id(), [step.claim])
    bury(store, died)
    died.stop()
    assert client.get(step_id).lost_count == 1
    Engine(store, registry).drain()
    assert [one.claimed_by is not None for one in seen] == [True]


def request(engine: Engine, name: str) -> ClaimRequest:
    """A claim in the engine's name."""
    assert engine.id is not None
    return ClaimRequest(engine_id=engine.id, request_id=new_id(), names=(name,))


class _Cut:
    """A transaction whose connection is lost before one of its verbs."""

    def __init__(self, tx: Any, verb: str) -> None:
        self._tx, self._verb = tx, verb

    def __getattr__(self, verb: str) -> Any:
        if verb == self._verb:
            self._tx.connection.close()
        return getattr(self._tx, verb)


@pytest.mark.parametrize("where", ["claim", "settle_last", "hold", "before", "after"])
def test_a_burst_that_loses_its_connection_loses_and_doubles_nothing(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """R13, R14: its locks are gone at once, what it has begun is marked and settled later."""
    whole: Any = store.transaction
    begun: list[bool] = []
    ran: Counter[int] = Counter()

    @contextmanager
    def cutting() -> Iterator[Any]:
        begins_burst = threading.current_thread().name == "stepwell-feed"
        cuts = begins_burst and len(begun) % 7 == 3
        begun.append(begins_burst)
        with whole() as tx:
            yield _Cut(tx, where) if cuts else tx
            if cuts and where == "before":
                tx.connection.close()
        if cuts and where == "after":
            raise StoreUnavailable("cut")

    @registry.handler("v1/work")
    def work(state: int) -> Outcome:
        ran[state] += 1
        time.sleep(0.03 if state % 20 == 0 else 0)
        return done(next=[new_step("v1/child", state)])

    @registry.handler("v1/child")
    def child(state: int) -> None:
        ran[1000 + state] += 1

    client = StepClient(store)
    client.add_many(new_step("v1/work", number) for number in range(400))
    monkeypatch.setattr(store, "transaction", cutting)
    with Engine(store, registry, workers=4) as engine:
        wait_for(lambda: engine.tally.done == 800)
    assert len(ran) == 800
    assert set(ran.values()) == {1}
    assert client.count() == Counts(done=800)


@pytest.mark.parametrize("again", [LOCKED, WRITTEN])
def test_a_step_whose_lost_lock_is_marked_by_a_later_claim_can_be_cancelled(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    """R14: it runs on under the number that it had. The store was away when it was to be marked."""
    whole: Any = store.transaction
    lost, running = threading.Event(), threading.Event()
    tried: list[int] = []

    class Away(_Cut):
        """It marks nothing; what it has locked is free again."""

        def hold(self, *_: Any, **__: Any) -> int:
            tried.append(threading.get_ident())
            if len(tried) == 2:
                lost.set()
                if again == WRITTEN:
                    monkeypatch.setattr(worker.Worker, "_by_lock", lambda self: False)
            raise StoreUnavailable("away")

    @contextmanager
    def away() -> Iterator[Any]:
        with whole() as tx:
            yield tx if lost.is_set() else Away(tx, "")

    @registry.handler("v1/long")
    def run(cancelled: threading.Event) -> None:
        running.set()
        assert cancelled.wait(90)

    client = StepClient(store)
    long = client.add(new_step("v1/long"))
    monkeypatch.setattr(store, "transaction", away)
    with Engine(store, registry) as engine:
        assert running.wait(90)
        assert lost.wait(90)
        wait_for(lambda: client.get(long).claimed_by == engine.id)
        wait_for(lambda: client.get(long).started)
        client.cancel(long, "not wanted any more")
        wait_for(lambda: engine.tally.refused == 1)


def test_what_was_cancelled_while_it_ran_spawns_nothing_and_is_let_go(
    store: Store, registry: Registry
) -> None:
    """R12: its outcome goes with the commit of its burst, and is refused there; that of the one
    beside it is applied."""
    client, ran = StepClient(store), []

    @registry.handler("v1/parent")
    def parent() -> Outcome:
        return done(next=[new_step("v1/child", True), new_step("v1/child", False)])

    @registry.handler("v1/child")
    def child(step: Step, state: bool) -> Outcome:
        if state:
            client.cancel(step.id, "not wanted any more")
        return done(next=new_step("v1/grandchild", state))

    @registry.handler("v1/grandchild")
    def grandchild(state: bool) -> None:
        ran.append(state)

    engine = Engine(store, registry)
    engine.add(new_step("v1/parent"))
    tally = engine.drain()
    assert (tally.done, tally.refused, ran) == (3, 1, [False])
    assert client.count() == Counts(ready=0, done=3, failed=1)


READ: Final = """
    EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM stepwell_ready
    WHERE queue = 'default' AND priority = 2 AND schedule_time <= statement_timestamp()
        AND claimed_by IS NULL AND NOT parked AND lost_count < 2 AND waiting_for = 0
        AND limit_key IS NULL AND rate_key IS NULL
    ORDER BY schedule_time
"""


@pytest.fixture
def unvacuumed(postgres_steps: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database in which nobody else cleans up."""
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        connection.execute("ALTER TABLE stepwell_ready SET (autovacuum_enabled = off)")
        connection.execute("VACUUM stepwell_ready")
        yield connection
        connection.execute("ALTER TABLE stepwell_ready RESET (autovacuum_enabled)")


def test_what_bursts_have_settled_is_soon_out_of_the_way_of_claims(
    store: Store, registry: Registry, unvacuumed: psycopg.Connection[Any]
) -> None:
    """The first who finds a row dead says so in the index. It is not said of a row that one
    transaction has locked and another, as that of a savepoint is, has deleted: each claim would
    read it again, until a vacuum."""
    registry.handler("v1/work")(lambda: done(next=[new_step("v1/child")]))
    registry.handler("v1/child")(lambda: None)
    StepClient(store).add_many(new_step("v1/work") for _ in range(1500))
    Engine(store, registry).drain()
    unvacuumed.execute("SET enable_seqscan = off")

    def pages() -> int:
        ((plan,),) = unvacuumed.execute(READ).fetchall()
        top = plan[0]["Plan"]
        return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])

    wait_for(lambda: pages() < 30)


@pytest.fixture
def rule(postgres_steps: str) -> Iterator[None]:
    """A rule of the user's own on the table of what is done."""
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        connection.execute("ALTER TABLE stepwell_done ADD CONSTRAINT rule CHECK (result <> '7')")
        yield
        connection.execute("ALTER TABLE stepwell_done DROP CONSTRAINT rule")


@pytest.mark.usefixtures("rule")
def test_what_the_database_itself_refuses_fails_alone_though_its_burst_has_lost_its_locks(
    store: Store, registry: Registry
) -> None:
    """R16: no savepoint keeps them, for it would leave each row that is settled in the indexes
    until they are cleaned: locked by one transaction, deleted by another."""
    ran: Counter[int] = Counter()

    @registry.handler("v1/work")
    def work(state: int) -> Outcome:
        ran[state] += 1
        return done(state)

    client = StepClient(store)
    client.add_many(new_step("v1/work", number) for number in range(50))
    assert Engine(store, registry).drain().failed == 1
    assert set(ran.values()) == {1}
    assert client.count() == Counts(done=49, failed=1)


def test_a_drain_ends_though_the_last_step_ended_while_nothing_was_claimed(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty burst takes its outcome in, and nobody else tells the engine to look again."""
    whole: Any = store.transaction
    running, go, executed = threading.Event(), threading.Event(), threading.Event()

    class Slow(_Cut):
        """A claim in which the step ends."""

        def claim(self, request: ClaimRequest) -> Claimed:
            claimed: Claimed = self._tx.claim(request)
            if running.is_set() and not go.is_set():
                go.set()
                assert executed.wait(90)
                time.sleep(0.05)  # its thread hands the outcome over
            return claimed

    @contextmanager
    def slowly() -> Iterator[Any]:
        with whole() as tx:
            yield Slow(tx, "")

    @registry.handler("v1/work")
    def work(step: Step) -> None:
        wait_for(lambda: row(store, step).claimed_by is not None)
        running.set()
        assert go.wait(90)

    end = subscribe(lambda event: executed.set() if event.name == "step.executed" else None)
    monkeypatch.setattr(store, "transaction", slowly)
    engine = Engine(store, registry)
    engine.add(new_step("v1/work"))
    monkeypatch.setattr(worker, "POLL", 1e6)
    with ThreadPoolExecutor(1) as pool:
        drained = pool.submit(engine.drain)
        assert running.wait(90)
        engine.add(new_step("v1/nobodys"))  # the engine looks, and has nothing to run
        assert drained.result(90).done == 1
    end()


def test_an_engine_that_is_alone_claims_by_lock_from_its_first_step_on(
    store: Store, registry: Registry, seen_written: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15: one that was killed would have left its row."""
    monkeypatch.setattr(worker, "TRUSTED", 1)
    engine = Engine(store, registry, workers=1)
    engine.add_many([new_step("v1/short"), new_step("v1/short")])
    assert engine.drain().done == 2
    assert seen_written == [False, False]


def test_an_execution_counts_for_the_trust_in_an_engine_before_it_is_settled(
    store: Store, registry: Registry, seen_written: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15: it was survived. Or the claim that comes with its settlement would be written."""
    monkeypatch.setattr(worker, "TRUSTED", 1)
    with store.transaction() as tx:
        tx.join(EngineInfo(id=new_id(), name="other", version="1", handles=(), queues=()))
    engine = Engine(store, registry, workers=1)
    engine.add_many([new_step("v1/short"), new_step("v1/short")])
    assert engine.drain().done == 2
    assert seen_written == [True, False]


def test_after_a_death_an_engine_writes_its_claims_again(
    store: Store, registry: Registry, seen_written: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15: whatever killed the other one may come here next."""
    with store.transaction() as tx:
        tx.join(EngineInfo(id=new_id(), name="dead", version="1", handles=(), queues=()))
    with Engine(store, registry) as engine:
        buried = threading.Event()
        end = subscribe(lambda event: buried.set() if event.name == "engine.buried" else None)
        monkeypatch.setattr(worker, "TRUSTED", 3)
        monkeypatch.setattr(heartbeat, "DEAD_AFTER", 1.5)
        assert buried.wait(90)
        for number in range(1, 6):
            StepClient(store).add(new_step("v1/short"))
            wait_for(partial(has_done, engine, number))
        end()
    assert seen_written == [True, True, True, False, False]
