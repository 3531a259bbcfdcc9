"""Steps that an idle engine's own program adds begin with their commit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.engine.lanes import LOCKED, bury, lives_on, open_lane, row, store
from tests.engine.signals import wait_for

from stepwell import Engine, NewStep, Registry, Step, StepClient, new_step
from stepwell.engine import heartbeat, worker
from stepwell.errors import StoreUnavailable
from stepwell.step import StepStatus
from stepwell.stores.postgres.adding import AT_ONCE
from stepwell.stores.protocol import Store

__all__ = ["open_lane", "store"]
FAR: datetime = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def lane() -> str:
    """Where the steps are."""
    return LOCKED


@pytest.fixture
def ran(store: Store, registry: Registry) -> list[Step]:
    """The rows of steps `v1/short`, as others saw them while these ran, in order."""
    ran: list[Step] = []
    registry.handler("v1/short")(lambda step: ran.append(row(store, step)))
    return ran


def resting(engine: Engine) -> Engine:
    """The engine, when it has looked and nothing was due."""
    wait_for(lambda: engine._worker is not None and engine._worker._at_rest)
    return engine


def test_a_step_of_an_idle_engines_program_is_the_engines_from_its_commit_on(
    store: Store, registry: Registry, ran: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs although the engine looks for nothing."""
    monkeypatch.setattr(worker, "POLL", 1e6)
    with Engine(store, registry) as engine:
        resting(engine)
        engine.add(new_step("v1/short"))
        wait_for(lambda: engine.tally.done == 1)
        assert [(step.claimed_by, step.claim_no) for step in ran] == [(engine.id, 1)]


def seen_claimed(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether what is added from now on comes claimed."""
    seen: list[bool] = []
    add: Any = store.add

    def watched(additions: Sequence[Any]) -> Any:
        seen.extend(one.step.claimed_by is not None for one in additions)
        return add(additions)

    monkeypatch.setattr(store, "add", watched)
    return seen


@pytest.mark.parametrize(
    "new",
    [
        new_step("v1/short", unique_key="one"),
        new_step("v1/short", limit_key="one"),
        new_step("v1/short", rate_key="one"),
        new_step("v1/short", schedule_time=FAR),
        new_step("v1/short", queue="elsewhere"),
        new_step("v1/nobodys"),
    ],
    ids=["unique", "limited", "rated", "future", "queue", "name"],
)
def test_what_is_not_for_this_engine_to_run_now_is_added_for_anybody(
    store: Store,
    registry: Registry,
    ran: list[Step],
    monkeypatch: pytest.MonkeyPatch,
    new: NewStep,
) -> None:
    """As R21 says of spawned steps."""
    with Engine(store, registry) as engine:
        resting(engine)
        seen = seen_claimed(store, monkeypatch)
        engine.add(new)
        assert seen == [False]


def test_a_paused_queue_gets_steps_for_anybody(
    store: Store, registry: Registry, ran: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And they do not run."""
    with Engine(store, registry) as engine:
        engine.pause("default", "for a while")
        resting(engine)
        seen = seen_claimed(store, monkeypatch)
        engine.add(new_step("v1/short"))
        assert seen == [False]
    assert not ran


def test_no_more_steps_come_claimed_than_there_are_free_workers(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other engines may have free ones."""
    running, go = threading.Event(), threading.Event()

    @registry.handler("v1/long")
    def long() -> None:
        running.set()
        assert go.wait(90)

    with Engine(store, registry, workers=2) as engine:
        resting(engine)
        engine.add(new_step("v1/long"))
        assert running.wait(90)
        resting(engine)
        seen = seen_claimed(store, monkeypatch)
        engine.add_many([new_step("v1/long"), new_step("v1/long")])
        assert seen == [False, False]
        go.set()
        wait_for(lambda: engine.tally.done == 3)


def test_the_same_step_added_again_runs_once(
    store: Store, registry: Registry, ran: list[Step]
) -> None:
    """R1."""
    new = new_step("v1/short")
    with Engine(store, registry) as engine:
        for _ in range(3):
            resting(engine)
            engine.add(new)
            wait_for(lambda: engine.get(new.id).status is StepStatus.DONE)
        engine.add_many([one := new_step("v1/short"), one])
        engine.drain()
        assert len(ran) == 2
        assert engine.count(ids=(new.id, one.id)).done == 2


@pytest.mark.parametrize("number", [1, AT_ONCE + 1])
def test_a_step_of_an_engine_that_was_declared_dead_is_added_for_anybody(
    store: Store,
    registry: Registry,
    ran: list[Step],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """R11: it would be claimed for ever. The engine has not noticed it yet."""
    monkeypatch.setattr(heartbeat, "INTERVAL", 1e6)
    with Engine(store, registry, workers=number) as engine:
        resting(engine)
        before = engine.id
        bury(store, engine)
        engine.add_many(new_step("v1/short") for _ in range(number))
        wait_for(lambda: engine.tally.done == number)
        assert lives_on(engine, before)
    assert not any(step.claimed_by == before for step in ran)


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_a_lost_answer_leaves_no_step_claimed_that_nobody_runs(
    store: Store,
    registry: Registry,
    ran: list[Step],
    monkeypatch: pytest.MonkeyPatch,
    committed: bool,
) -> None:
    """R13: the engine looks for what it does not know of at once."""
    monkeypatch.setattr(worker, "RECONCILE", 1e6)
    add: Any = store.add
    new = new_step("v1/short")
    with Engine(store, registry) as engine:
        resting(engine)

        def lost(additions: Sequence[Any]) -> Any:
            monkeypatch.setattr(store, "add", add)
            if committed:
                add(additions)
            raise StoreUnavailable("lost")

        monkeypatch.setattr(store, "add", lost)
        with pytest.raises(StoreUnavailable):
            engine.add(new)
        assert engine.add(new) == new.id
        wait_for(lambda: engine.get(new.id).status is StepStatus.DONE)
    assert len(ran) == 1


def test_a_look_for_lost_claims_takes_none_that_is_just_being_added(
    store: Store, registry: Registry, ran: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13: it stands in the store before the engine has been told so."""
    add: Any = store.add
    with Engine(store, registry) as engine:
        resting(engine)

        def overtaken(additions: Sequence[Any]) -> Any:
            answer = add(additions)
            assert engine._worker is not None
            engine._worker._reconcile()
            return answer

        monkeypatch.setattr(store, "add", overtaken)
        engine.add(new_step("v1/short"))
        wait_for(lambda: engine.tally.executed == 1)
        assert [(step.claimed_by, step.claim_no) for step in ran] == [(engine.id, 1)]


class _Asked:
    """A lock that says when somebody wants it."""

    def __init__(self, lock: Any) -> None:
        self._lock, self.asked = lock, threading.Event()

    def __enter__(self) -> None:
        self.asked.set()
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def test_a_stop_waits_for_what_is_being_added_and_gives_it_back(
    store: Store, registry: Registry, ran: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It neither runs beside its next claim nor stays claimed."""
    add: Any = store.add
    adding, go = threading.Event(), threading.Event()
    engine = resting(Engine(store, registry).start())
    assert engine._worker is not None

    def slow(additions: Sequence[Any]) -> Any:
        adding.set()
        assert go.wait(90)
        return add(additions)

    monkeypatch.setattr(store, "add", slow)
    direct = engine._worker._direct
    with ThreadPoolExecutor(2) as pool:
        added = pool.submit(engine.add, new_step("v1/short"))
        assert adding.wait(90)
        door = _Asked(direct._adding)
        monkeypatch.setattr(direct, "_adding", door)
        stopped = pool.submit(engine.stop)
        wait_for(lambda: door.asked.is_set() or stopped.done())
        held_up = not stopped.done()
        go.set()
        step_id = added.result(90)
        stopped.result(90)
    assert held_up
    step = StepClient(store).get(step_id)
    assert step.claimed_by is None or step.status is StepStatus.DONE
    assert len(ran) == (step.status is StepStatus.DONE)
