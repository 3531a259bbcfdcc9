"""Two bursts of one engine in turns: promise by promise what a second one must not change."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias
from uuid import UUID

import pytest
from tests.engine.lanes import RELAYED, open_lane, store

from stepwell import Engine, Outcome, Registry, Step, StepStatus, done, new_step
from stepwell.engine import bursts, front, relay, worker
from stepwell.errors import StoreUnavailable
from stepwell.events import Event, subscribe
from stepwell.stores.protocol import Claimed, ClaimRequest, Store

__all__ = ["open_lane", "store"]

PATIENCE: Final = 90.0
Found: TypeAlias = Callable[[Sequence[Step]], object]


@pytest.fixture
def lane() -> str:
    """Where the steps are, and how they are claimed."""
    return RELAYED


class Meddled:
    """A transaction that does something before it settles, and after it has claimed."""

    def __init__(self, tx: Any, before: Callable[[], object], after: Found):
        self._tx, self._before, self._after = tx, before, after

    def __getattr__(self, name: str) -> Any:
        if name in ("settle", "settle_last"):
            self._before()
        return getattr(self._tx, name)

    def claim(self, request: ClaimRequest) -> Claimed:
        """Of the verb's name."""
        claimed: Claimed = self._tx.claim(request)
        self._after(claimed.steps)
        return claimed


def meddle(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    *,
    settle: Callable[[], object] = lambda: None,
    claim: Found = lambda found: None,
) -> None:
    """Call `settle` before something is settled, and `claim` after each claim."""
    whole = store.transaction

    @contextmanager
    def transaction() -> Iterator[Any]:
        with whole() as tx:
            yield Meddled(tx, settle, claim)

    monkeypatch.setattr(store, "transaction", transaction)


def is_second() -> bool:
    """Whether this is the thread of the second burst."""
    return threading.current_thread().name == "stepwell-relay"


def drained(engine: Engine) -> int:
    """How many steps are done when nothing is left; an engine that never gets there fails."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(engine.drain().done), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert found, "it never came to an end"
    return found[0]


@pytest.fixture
def second(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first bursts are held up until the second has steps of its own: a thread that the
    machine is slow to start would find that all has been done without it. One that has found
    no room is called again by the next. And none takes so many that it leaves nothing."""
    monkeypatch.setattr(bursts, "MOST", 10)
    come = threading.Event()

    def wait() -> None:
        if not is_second():
            come.wait(1.0)

    def look(found: Sequence[Step]) -> None:
        if is_second() and found:
            come.set()

    meddle(store, monkeypatch, settle=wait, claim=look)


@pytest.fixture
def chains(registry: Registry) -> None:
    """`v1/chain` asks for as many successors as its state says, one after the other."""

    @registry.handler("v1/chain")
    def chain(state: int) -> Outcome | None:
        return done(next=new_step("v1/chain", state - 1)) if state else None


def test_while_a_burst_is_settled_the_steps_of_the_next_one_run(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the database and Python work at the same time."""
    monkeypatch.setattr(bursts, "LATE", 1000.0)  # none is cut, on however slow a machine
    settling, begun = threading.Event(), threading.Event()
    settled: list[bool] = []

    def wait() -> None:
        if is_second() or settling.is_set():
            return
        settled.append(True)
        if len(settled) == 10:
            settling.set()
            settled.append(begun.wait(PATIENCE))

    @registry.handler("v1/work")
    def work() -> None:
        if settling.is_set():
            begun.set()

    meddle(store, monkeypatch, settle=wait)
    engine = Engine(store, registry, workers=1)
    engine.add_many(new_step("v1/work") for _ in range(100))
    assert drained(engine) == 100
    assert settled == [True] * 11


def test_of_many_steps_that_were_taken_over_the_second_burst_runs_half_and_claims_no_others(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R21: no claim brings them, so that none says that there is more than one burst takes. And
    the first looks for what else is due: to plan that takes the server as long as to settle."""
    monkeypatch.setattr(relay, "SHARED", 8)
    monkeypatch.setattr(relay.Relay, "more", lambda relay: None)
    monkeypatch.setattr(front, "NOTHING", 0.0)  # who may look does
    runs: Counter[UUID] = Counter()
    settled, claims = threading.Event(), Counter[bool]()

    def settle() -> None:
        if is_second():
            settled.set()

    def claimed(found: Sequence[Step]) -> None:
        claims[is_second()] += 1

    @registry.handler("v1/fan")
    def fan() -> Outcome:
        return done(next=[new_step("v1/work") for _ in range(20)])

    @registry.handler("v1/work")
    def work(step: Step) -> None:
        runs[step.id] += 1

    meddle(store, monkeypatch, settle=settle, claim=claimed)
    engine = Engine(store, registry, workers=20)
    engine.add(new_step("v1/fan"))
    assert drained(engine) == 21
    assert len(runs) == runs.total() == 20
    assert settled.is_set()
    assert claims[False]
    assert not claims[True]


@pytest.mark.usefixtures("chains")
def test_where_the_machine_gives_no_thread_for_a_second_burst_the_first_runs_all(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to be shared with it is not lost, and the engine is idle in the end."""
    monkeypatch.setattr(relay, "SHARED", 8)
    refused: list[str] = []
    start = threading.Thread.start

    def scarce(thread: threading.Thread) -> None:
        if thread.name == "stepwell-relay":
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    engine = Engine(store, registry, workers=20)
    engine.add_many(new_step("v1/chain", 3) for _ in range(20))
    assert drained(engine) == 80
    assert refused


@pytest.mark.usefixtures("chains", "second")
def test_an_engine_is_not_idle_while_its_second_burst_is_on_its_way(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has locked and not taken in yet is neither held nor to be seen by the first; and
    when it has ended, the first looks once more, without waiting until it is time to poll."""
    found_nothing, second = threading.Event(), threading.Event()

    def look(found: Sequence[Step]) -> None:
        if is_second() and found:
            second.set()
            engine._changed()  # the first may have looked just before
            assert found_nothing.wait(PATIENCE)
        elif second.is_set() and not found:
            found_nothing.set()

    monkeypatch.setattr(worker, "POLL", 1e6)
    meddle(store, monkeypatch, claim=look)
    engine = Engine(store, registry, workers=1)
    engine.add_many(new_step("v1/chain", 2) for _ in range(40))
    assert drained(engine) == 120
    assert found_nothing.is_set()


@pytest.mark.usefixtures("second")
def test_a_second_burst_that_fails_loses_nothing_and_runs_nothing_twice(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its steps are settled by whoever can, and the first goes on meanwhile."""
    runs: Counter[UUID] = Counter()
    told: list[Event] = []
    end = subscribe(
        lambda event: told.append(event) if event.name == "engine.claim_failed" else None
    )

    def fail() -> None:
        if is_second() and not told:
            raise StoreUnavailable("The network is gone.")

    @registry.handler("v1/work")
    def work(step: Step) -> None:
        runs[step.id] += 1

    meddle(store, monkeypatch, settle=fail)
    engine = Engine(store, registry, workers=1)
    engine.add_many(new_step("v1/work") for _ in range(60))
    drained(engine)
    end()
    assert told
    assert engine.count(status=StepStatus.DONE).done == 60
    assert set(runs.values()) == {1}


@pytest.mark.usefixtures("chains", "second")
def test_what_the_second_burst_was_about_to_run_next_runs_though_it_is_the_last(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R21: a step that was taken over from its parent is claimed already."""
    relayed = threading.Event()

    def slow_down(event: Event) -> None:
        if event.name == "engine.claimed" and is_second():
            relayed.set()
            monkeypatch.setattr(relay, "BRIEF", 0.0)  # from now on it does not pay

    end = subscribe(slow_down)
    engine = Engine(store, registry, workers=2)
    engine.add_many(new_step("v1/chain", 9) for _ in range(20))
    assert drained(engine) == 200
    end()
    assert relayed.is_set()


class Looks:
    """Holds the second burst behind a commit that has written claims, until the first has
    looked twice for claims that nobody knows of."""

    def __init__(self, store: Store) -> None:
        self.engine: Engine | None = None
        self._whole = store.transaction
        self._held_up, self._seen = threading.Event(), threading.Semaphore(0)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Of the verb's name."""
        with self._whole() as tx:
            yield Looked(tx, self)
        if is_second() and not self._held_up.is_set() and self._own_claims():
            self._held_up.set()
            self._look_again()
            for _ in range(2):
                assert self._seen.acquire(timeout=PATIENCE)

    def looked(self) -> None:
        """The first is looking."""
        if self._held_up.is_set():
            self._seen.release()
            self._look_again()

    @property
    def happened(self) -> bool:
        """Whether the second was held up."""
        return self._held_up.is_set()

    def _own_claims(self) -> bool:
        assert self.engine
        assert self.engine.id
        with self._whole() as tx:
            return bool(tx.claimed(self.engine.id))

    def _look_again(self) -> None:
        assert self.engine
        assert self.engine._worker
        self.engine._worker._wake.set()


class Looked:
    """A transaction that tells when somebody looks for its claims."""

    def __init__(self, tx: Any, looks: Looks) -> None:
        self._tx, self._looks = tx, looks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def claimed(self, engine_id: UUID) -> Any:
        """Of the verb's name."""
        self._looks.looked()
        return self._tx.claimed(engine_id)


def assert_chains_run_once(engine: Engine, registry: Registry) -> None:
    """Twenty chains of ten steps: each step once, and no outcome refused."""
    runs: Counter[UUID] = Counter()

    @registry.handler("v1/chain")
    def chain(step: Step, state: int) -> Outcome | None:
        runs[step.id] += 1
        return done(next=new_step("v1/chain", state - 1)) if state else None

    engine.add_many(new_step("v1/chain", 9) for _ in range(20))
    assert drained(engine) == 200
    assert set(runs.values()) == {1}
    assert engine.tally.refused == 0


@pytest.mark.usefixtures("second")
def test_what_the_second_burst_has_just_committed_is_no_stranger_to_the_first(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13, R14: or it would give back a step that the second is about to run."""
    monkeypatch.setattr(worker, "RECONCILE", 0.0)
    looks = Looks(store)
    monkeypatch.setattr(store, "transaction", looks.transaction)
    looks.engine = Engine(store, registry, workers=2)
    assert_chains_run_once(looks.engine, registry)
    assert looks.happened


class LostAnswer:
    """Loses the answer to the first commit of the second burst that has written claims."""

    def __init__(self, store: Store) -> None:
        self.engine: Engine | None = None
        self.happened = False
        self._whole = store.transaction

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Of the verb's name."""
        with self._whole() as tx:
            yield tx
        if is_second() and not self.happened and self._own_claims():
            self.happened = True
            raise StoreUnavailable("The answer to the commit was lost.")

    def _own_claims(self) -> bool:
        assert self.engine
        assert self.engine.id
        with self._whole() as tx:
            return bool(tx.claimed(self.engine.id))


@pytest.mark.usefixtures("second")
def test_what_the_second_burst_has_claimed_without_knowing_is_given_back_soon(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13: the first looks for it then, and not only when it is time for the next look."""
    monkeypatch.setattr(worker, "RECONCILE", 1e6)
    lost = LostAnswer(store)
    monkeypatch.setattr(store, "transaction", lost.transaction)
    lost.engine = Engine(store, registry, workers=2)
    assert_chains_run_once(lost.engine, registry)
    assert lost.happened
