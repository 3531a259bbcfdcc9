"""Shares of the workers per queue: what an engine promises, on each lane of its pipeline."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest
from tests.engine.lanes import lane, open_lane
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, RetryPolicy, done, new_step, rerun
from stepwell.clock import SYSTEM
from stepwell.engine import shares, worker
from stepwell.engine.bursts import Bursts
from stepwell.engine.held import Holding
from stepwell.engine.shares import Lane, Lanes, SharedIntake
from stepwell.errors import InvalidInput
from stepwell.ids import new_id
from stepwell.step import NewStep, Step
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import ClaimRequest, EngineInfo, Store

__all__ = ["lane", "open_lane"]


@pytest.fixture
def store(open_lane: Callable[[], Store]) -> Store:
    """A fresh store with its schema."""
    return open_lane()


class Gate:
    """Handlers that wait until they are let go, and how many of each queue are inside."""

    def __init__(self, registry: Registry) -> None:
        self._lock, self.go = threading.Lock(), threading.Event()
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.all = 0
        registry.handler("v1/wait", "v1/wait/others")(self._wait)

    def _wait(self, step: Step) -> None:
        self._count(step.queue, 1)
        assert self.go.wait(90)
        self._count(step.queue, -1)

    def _count(self, queue: str, change: int) -> None:
        with self._lock:
            self.inside[queue] += change
            self.most[queue] = max(self.most[queue], self.inside[queue])
            self.all = max(self.all, self.inside.total())


@pytest.fixture
def gate(registry: Registry) -> Iterator[Gate]:
    """A gate that is opened at the end, so that a failed test does not wait for its handlers."""
    made = Gate(registry)
    yield made
    made.go.set()


def some(count: int, name: str = "v1/wait", **fields: Any) -> list[NewStep]:
    return [new_step(name, **fields) for _ in range(count)]


def test_a_flood_of_one_queue_takes_no_worker_of_another(
    store: Store, registry: Registry, gate: Gate
) -> None:
    """Not even one that was quick until now, so that many of its steps are claimed ahead."""
    registry.handler("v1/mail")(lambda: None)
    with Engine(store, registry, queues={"default": 3, "mail": 1}) as engine:
        engine.add_many(some(100, "v1/mail"))
        wait_for(lambda: engine.tally.done == 100)
        engine.add_many(some(40))
        wait_for(lambda: gate.inside["default"] == 3)
        engine.add_many(some(30, "v1/mail", queue="mail"))
        wait_for(lambda: engine.tally.done == 130)
        assert gate.inside["default"] == 3
        gate.go.set()
        wait_for(lambda: engine.tally.done == 170)
    assert gate.most["default"] == 3


def test_slow_steps_do_not_hold_up_another_queue_for_long(
    store: Store, registry: Registry, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mail is added when the one before has been run; who waits for it to be time to look
    waits for ever."""
    monkeypatch.setattr(worker, "POLL", 1e6)
    monkeypatch.setattr(worker, "GIVE_BACK", 1e6)
    monkeypatch.setattr(shares, "LOOK_AGAIN", 1e6)
    arrived = threading.Event()
    registry.handler("v1/mail")(arrived.set)
    with Engine(store, registry, queues={"default": 2, "mail": 2}) as engine:
        engine.add_many(some(20))
        wait_for(lambda: gate.inside["default"] == 2)
        for _ in range(20):
            arrived.clear()
            engine.add(new_step("v1/mail", queue="mail"))
            assert arrived.wait(90)
        gate.go.set()
        wait_for(lambda: engine.tally.done == 40)


def test_each_queue_uses_all_of_its_share(store: Store, registry: Registry, gate: Gate) -> None:
    with Engine(store, registry, queues={"default": 5, "mail": 2}) as engine:
        engine.add_many(some(10))
        engine.add_many(some(10, queue="mail"))
        wait_for(lambda: gate.inside == {"default": 5, "mail": 2})
        assert engine.count(claimed=True).ready <= 7, "no more than there are free workers"
        gate.go.set()
        wait_for(lambda: engine.tally.done == 20)
    assert gate.most == {"default": 5, "mail": 2}


def test_fewer_workers_than_shares_are_taken_by_turns(
    store: Store, registry: Registry, gate: Gate
) -> None:
    """`workers` is the total, whatever the shares add up to."""
    shares = {"default": 3, "mail": 3}
    with Engine(store, registry, queues=shares, workers=3) as engine:
        engine.add_many(some(12))
        engine.add_many(some(12, queue="mail"))
        wait_for(lambda: gate.inside.total() == 3)
        gate.go.set()
        wait_for(lambda: engine.tally.done == 24)
    assert gate.all == 3


def test_what_a_queue_does_not_use_goes_to_others_up_to_their_shares(
    store: Store, registry: Registry, gate: Gate
) -> None:
    with Engine(store, registry, queues={"default": 4, "mail": 2}, workers=4) as engine:
        engine.add_many(some(10))
        wait_for(lambda: gate.inside["default"] == 4)
        gate.go.set()
        wait_for(lambda: engine.tally.done == 10)


def test_no_queue_starves_where_both_want_the_same_worker(store: Store, registry: Registry) -> None:
    ran: Counter[str] = Counter()

    @registry.handler("v1/endless")
    def endless(step: Step) -> Outcome:
        ran[step.queue] += 1
        return rerun() if min(ran["default"], ran["mail"]) < 20 else done()

    with Engine(store, registry, queues={"default": 1, "mail": 1}, workers=1) as engine:
        engine.add_many(some(5, "v1/endless"))
        engine.add_many(some(5, "v1/endless", queue="mail"))
        wait_for(lambda: engine.tally.done == 10)


def test_coroutines_keep_to_shares_too(store: Store, registry: Registry) -> None:
    inside: Counter[str] = Counter()
    most: Counter[str] = Counter()

    full = asyncio.Event()

    @registry.handler("v1/call")
    async def call(step: Step) -> None:
        inside[step.queue] += 1
        most[step.queue] = max(most[step.queue], inside[step.queue])
        if inside["mail"] == 3:
            full.set()
        await full.wait()  # or it is left to luck whether three are there at once
        await asyncio.sleep(0.002)
        inside[step.queue] -= 1

    with Engine(store, registry, queues={"default": 20, "mail": 3}) as engine:
        engine.add_many(some(60, "v1/call"))
        engine.add_many(some(20, "v1/call", queue="mail"))
        wait_for(lambda: engine.tally.done == 80)
    assert most["default"] <= 20
    assert most["mail"] == 3


def test_a_step_whose_time_is_over_keeps_its_place_until_it_returns(registry: Registry) -> None:
    """It is settled at once, and still takes a thread and a place of its queue."""
    go, inside = threading.Event(), threading.Semaphore(0)

    @registry.handler("v1/late", timeout=0.05, retry=RetryPolicy(attempts=1))
    def late() -> None:
        inside.release()
        assert go.wait(90)

    with Engine(MemoryStore(), registry, queues={"default": 2, "mail": 1}) as engine:
        engine.add_many(some(4, "v1/late"))
        wait_for(lambda: engine.tally.failed == 2)
        assert [inside.acquire(timeout=90) for _ in range(2)] == [True, True]
        assert not inside.acquire(blocking=False)
        go.set()
        wait_for(lambda: engine.tally.executed == 4)


def test_draining_ends_when_no_queue_has_anything_due(store: Store, registry: Registry) -> None:
    """Also while steps are claimed by lock, taken over, and some queues are full."""

    @registry.handler("v1/chain")
    def chain(state: int) -> Outcome:
        queue = ("default", "mail", "rest")[state % 3]
        return done(next=new_step("v1/chain", state - 1, queue=queue)) if state else done()

    engine = Engine(store, registry, queues={"default": 2, "mail": 1, "rest": 1})
    engine.add_many(new_step("v1/chain", 9) for _ in range(30))
    assert engine.drain().done == 300
    assert engine.count(claimed=True).ready == 0


def test_a_paused_queue_holds_up_nothing_and_is_not_waited_for(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/x")(lambda: None)
    engine = Engine(store, registry, queues={"default": 2, "mail": 1})
    engine.pause("mail", "the server is moved")
    engine.add_many(some(10, "v1/x"))
    engine.add_many(some(10, "v1/x", queue="mail"))
    engine.add_many(some(3, "v1/x", queue="mail", limit_key="smtp"))
    assert engine.drain().done == 10
    engine.resume("mail")
    assert engine.drain().done == 13


def test_limited_steps_are_claimed_into_the_share_of_their_queue(
    store: Store, registry: Registry, gate: Gate
) -> None:
    with Engine(store, registry, queues={"default": 2, "mail": 2}) as engine:
        engine.add_many(some(10, limit_key="a", limit_slots=9))
        engine.add_many(some(10, queue="mail", limit_key="b", limit_slots=1))
        engine.add_many(some(5, queue="mail"))
        wait_for(lambda: gate.inside == {"default": 2, "mail": 2})
        gate.go.set()
        wait_for(lambda: engine.tally.done == 25)
    assert gate.most == {"default": 2, "mail": 2}


def test_a_full_key_does_not_keep_the_engine_from_draining(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/x")(lambda: None)
    engine = Engine(store, registry, queues={"default": 2, "mail": 2})
    engine.limit("smtp", 0)
    engine.add_many(some(3, "v1/x", queue="mail", limit_key="smtp"))
    engine.add_many(some(3, "v1/x"))
    assert engine.drain().done == 3


def test_a_suspect_of_any_queue_is_run_alone(store: Store, registry: Registry) -> None:
    """R15: nothing of another queue runs beside it."""
    beside: list[int] = []
    running: Counter[str] = Counter()

    @registry.handler("v1/suspect")
    def suspect() -> None:
        beside.append(running["v1/x"])

    @registry.handler("v1/x")
    def other() -> None:
        running["v1/x"] += 1
        time.sleep(0.002)
        running["v1/x"] -= 1

    with Engine(store, registry, queues={"default": 1, "mail": 1}) as engine:
        pass
    engine.add(new_step("v1/suspect", queue="mail"))
    _lose_engines(store, "v1/suspect", "mail", 2)
    engine.add_many(some(30, "v1/x"))
    assert engine.drain().done == 31
    assert beside == [0]


def _lose_engines(store: Store, name: str, queue: str, times: int) -> None:
    for _ in range(times):
        info = EngineInfo(id=new_id(), name="x", version="1", handles=(name,), queues=(queue,))
        request = ClaimRequest(
            engine_id=info.id, request_id=new_id(), names=(name,), queues=(queue,)
        )
        with store.transaction() as tx:
            tx.join(info)
        with store.transaction() as tx:
            assert len(tx.claim(request).steps) == 1
        with store.transaction() as tx:
            assert tx.bury(info.id, 0) is not None


def test_what_waits_behind_slow_steps_of_its_queue_is_given_back(
    store: Store, registry: Registry, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue was fast until now, so steps are claimed ahead; others are to have them."""
    registry.handler("v1/fast")(lambda: None)
    with Engine(store, registry, queues={"default": 1, "mail": 1}) as engine:
        engine.add_many(some(200, "v1/fast"))
        wait_for(lambda: engine.tally.done == 200)
        monkeypatch.setattr(worker, "GIVE_BACK", 0.2)  # not before: a pause made the fast ones slow
        engine.add_many(some(50))
        wait_for(lambda: gate.inside["default"] == 1)
        wait_for(lambda: engine.count(claimed=True).ready == 1)
        gate.go.set()
        wait_for(lambda: engine.tally.done == 250)


def test_queues_take_turns_at_a_worker_that_both_could_take() -> None:
    lanes = Lanes({"default": 2, "mail": 2})
    lanes.extend(_holding(queue) for queue in ("default", "default", "default", "mail", "mail"))
    order = [lanes.popleft().step.queue for _ in range(len(lanes))]
    assert order == ["default", "mail", "default", "mail"]
    assert [one.step.queue for one in lanes] == ["default"]
    assert len(lanes) == 0


def test_who_counts_what_may_begin_is_not_disturbed_by_who_begins_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The feeding thread counts without a lock; a worker takes a step in the midst of it."""
    lanes = Lanes({"default": 2, "mail": 2})
    lanes.extend(_holding(queue) for queue in ("default", "mail"))
    count, begins = cast("property", vars(Lane)["ready"]), iter([lanes.popleft])

    def ready(lane: Lane) -> Any:
        next(begins, lambda: None)()
        return count.__get__(lane)

    monkeypatch.setattr(Lane, "ready", property(ready))
    assert len(lanes) == 1


def test_what_ended_in_a_burst_that_failed_is_settled_all_the_same(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13: whatever fails between the claim and the settlement."""
    whole, failed = Bursts._wait, threading.Event()

    def wait(bursts: Bursts) -> None:
        whole(bursts)
        if len(bursts._collector) and not failed.is_set():
            failed.set()
            raise RuntimeError("what nobody has thought of")

    monkeypatch.setattr(Bursts, "_wait", wait)
    registry.handler("v1/fast")(lambda: None)
    with Engine(store, registry, queues={"default": 1, "mail": 1}) as engine:
        engine.add_many(some(50, "v1/fast"))
        wait_for(lambda: engine.tally.done == 50)
    assert failed.is_set()


def test_spawned_steps_are_taken_over_only_where_their_queue_has_room() -> None:
    """R21."""
    intake = SharedIntake({"default": 2, "mail": 1}, 3, SYSTEM)
    room = intake.room(1.0, 0.1, 500, [_holding("mail")])
    assert room == 2
    assert [intake.has_room_for(_step("mail")) for _ in range(2)] == [False, False]
    assert [intake.has_room_for(_step("default")) for _ in range(3)] == [True, True, False]


def _step(queue: str) -> Step:
    now = SYSTEM.now()
    return Step(
        id=new_id(), name="v1/x", flow_id=new_id(), created_at=now, schedule_time=now, queue=queue
    )


def _holding(queue: str) -> Holding:
    return Holding(_step(queue), new_id(), 0.0)


@pytest.mark.parametrize("shares", [{}, {"default": 0}, {"default": 4, "mail": -1}])
def test_a_queue_without_a_worker_is_refused(shares: Mapping[str, int], registry: Registry) -> None:
    with pytest.raises(InvalidInput):
        Engine(MemoryStore(), registry, queues=shares)


def test_shares_are_refused_for_the_steps_of_one_flow(registry: Registry) -> None:
    """R36: they are run whatever their queue is."""
    with pytest.raises(InvalidInput):
        Engine(MemoryStore(), registry, queues={"default": 1}, flow_id=new_id())
