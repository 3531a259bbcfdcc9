"""Concurrency and rate limits as an engine keeps them (R20), on real stores."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, RetryPolicy, StepClient, done, new_step, rerun
from stepwell.clock import SYSTEM
from stepwell.engine import heartbeat
from stepwell.engine.limits import LimitedClaims
from stepwell.errors import InvalidInput
from stepwell.ids import new_id
from stepwell.step import NewStep, Priority, Step, StepStatus
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo, Store
from stepwell.testing.clock import VirtualClock


class Meter:
    """How many handlers run at once, now and at most; the first wait until `full` are there."""

    def __init__(self, registry: Registry, full: int = 1) -> None:
        self._lock, self._met, self._full = threading.Lock(), threading.Event(), full
        self.now = self.most = 0
        self.times: list[datetime] = []
        registry.handler("v1/send")(self._send)

    def _send(self, step: Step) -> None:
        assert step.claimed_at is not None
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.times.append(step.claimed_at)
            if self.now == self._full:
                self._met.set()
        assert self._met.wait(90)
        time.sleep(0.004)
        with self._lock:
            self.now -= 1


def _wait_for_it(registry: Registry, go: threading.Event) -> None:
    @registry.handler("v1/send")
    def send() -> None:
        assert go.wait(90)


def _have_done(one: Engine, other: Engine, count: int) -> bool:
    return one.tally.done + other.tally.done == count


def sends(count: int, **fields: Any) -> list[NewStep]:
    return [new_step("v1/send", **fields) for _ in range(count)]


def test_no_more_steps_of_a_key_run_than_it_has_slots(store: Store, registry: Registry) -> None:
    meter = Meter(registry, full=3)
    engine = Engine(store, registry, workers=8)
    engine.add_many(sends(30, limit_key="smtp", limit_slots=3))
    assert engine.drain().done == 30
    assert meter.most == 3


def test_two_engines_share_the_slots_of_a_key(store: Store, registry: Registry) -> None:
    meter = Meter(registry, full=2)
    with Engine(store, registry, workers=4) as one, Engine(store, registry, workers=4) as other:
        one.limit("smtp", 2)
        one.add_many(sends(60, limit_key="smtp", limit_slots=9))
        wait_for(lambda: one.tally.done + other.tally.done == 60)
        while not one.tally.done or not other.tally.done:  # one may have been asleep all the time
            sent = one.tally.done + other.tally.done + 10
            one.add_many(sends(10, limit_key="smtp", limit_slots=9))
            wait_for(partial(_have_done, one, other, sent))
    assert meter.most == 2


def test_a_limit_that_is_raised_is_used_at_once(store: Store, registry: Registry) -> None:
    go = threading.Event()
    _wait_for_it(registry, go)
    with Engine(store, registry) as engine:
        engine.limit("smtp", 1, reason="they complained")
        engine.add_many(sends(4, limit_key="smtp"))
        wait_for(lambda: engine.count(limit_key="smtp", claimed=True).ready == 1)
        engine.limit("smtp", 3)
        wait_for(lambda: engine.count(limit_key="smtp", claimed=True).ready == 3)
        go.set()
        wait_for(lambda: engine.tally.done == 4)


def test_steps_begin_no_faster_than_their_rate(store: Store, registry: Registry) -> None:
    meter = Meter(registry)
    with Engine(store, registry) as engine, Engine(store, registry) as other:
        engine.rate("smtp", 1, per=0.15)
        engine.add_many(sends(5, rate_key="smtp"))
        wait_for(lambda: engine.tally.done + other.tally.done == 5)
    gaps = [later - sooner for sooner, later in pairwise(sorted(meter.times))]
    assert min(gaps) >= timedelta(seconds=0.15)


def test_retries_and_reruns_count_for_the_rate(store: Store, registry: Registry) -> None:
    times: list[datetime] = []

    @registry.handler("v1/send", retry=RetryPolicy(delays=(0.0,)))
    def send(step: Step) -> Outcome:
        assert step.claimed_at is not None
        times.append(step.claimed_at)
        if len(times) == 1:
            raise RuntimeError
        return rerun() if len(times) == 2 else done()

    with Engine(store, registry) as engine:
        engine.rate("smtp", 5, per=1.0)
        engine.add(new_step("v1/send", rate_key="smtp"))
        wait_for(lambda: engine.tally.done == 1)
    assert times[2] - times[0] >= timedelta(seconds=2 * 0.2)


def test_limited_and_ordinary_steps_do_not_starve_each_other(
    store: Store, registry: Registry
) -> None:
    """One worker, and always more of both than it can do."""
    ran: list[str] = []

    @registry.handler("v1/send", "v1/plain")
    def run(state: str) -> Outcome:
        ran.append(state)
        return rerun() if len(ran) < 400 else done()

    with Engine(store, registry, workers=1) as engine:
        plain = [new_step("v1/plain", "plain") for _ in range(5)]
        limited: dict[str, Any] = {"limit_key": "smtp", "limit_slots": 5}
        # At once: what is added first is run again and again until the others are there.
        engine.add_many(plain + [new_step("v1/send", "limited", **limited) for _ in range(5)])
        wait_for(lambda: len(ran) >= 400)
        shares = {kind: ran[:400].count(kind) for kind in ("plain", "limited")}
    assert min(shares.values()) >= 20, shares


@pytest.mark.parametrize("seconds", [0.02, 0.06])
def test_long_limited_steps_leave_workers_to_others_in_turn(
    store: Store, registry: Registry, seconds: float
) -> None:
    """And get some from them, though others are claimed before a worker is free."""
    ran: list[str] = []

    @registry.handler("v1/send", "v1/plain")
    def run(state: str) -> Outcome:
        ran.append(state)
        time.sleep(seconds)
        return rerun() if len(ran) < 60 else done()

    with Engine(store, registry, workers=2) as engine:
        plain = [new_step("v1/plain", "plain") for _ in range(4)]
        limited = [new_step("v1/send", "limited", limit_key=f"k{n}") for n in range(4)]
        engine.add_many(plain + limited)
        wait_for(lambda: len(ran) >= 60)
        shares = {kind: ran[:60].count(kind) for kind in ("plain", "limited")}
    assert min(shares.values()) >= 8, shares


def test_low_priority_is_not_starved_by_a_flood_of_urgent_steps(
    store: Store, registry: Registry
) -> None:
    """R18, as an engine keeps it: urgent work never ends, and low work is done all the same."""
    low_done = threading.Event()

    @registry.handler("v1/urgent")
    def urgent() -> Outcome:
        return done() if low_done.is_set() else rerun()

    registry.handler("v1/low")(low_done.set)
    with Engine(store, registry, workers=1) as engine:
        engine.add_many(new_step("v1/urgent", priority=Priority.URGENT) for _ in range(20))
        engine.add(new_step("v1/low", priority=Priority.LOW))
        assert low_done.wait(90)
        wait_for(lambda: engine.tally.done == 21)


@pytest.mark.usefixtures("patient")
def test_a_full_key_is_not_asked_for_again_and_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without beats, after each of which an engine in memory looks: they may be one or two."""
    monkeypatch.setattr(heartbeat, "INTERVAL", 1e6)
    store, go = MemoryStore(), threading.Event()
    asked: list[float] = []
    whole = store.transaction

    _wait_for_it(registry, go)
    with Engine(store, registry) as engine:
        engine.add_many(sends(5, limit_key="smtp"))
        wait_for(lambda: engine.count(claimed=True).ready == 1)
        settled = time.monotonic() + 0.3
        wait_for(lambda: time.monotonic() > settled)

        def counted() -> object:
            asked.append(time.monotonic())
            return whole()

        store.transaction = counted  # type: ignore[method-assign,assignment] # counts
        until = time.monotonic() + 1.5
        wait_for(lambda: time.monotonic() > until)
        looks = [one for one in asked if one <= until]
        assert len(looks) <= 6, "at most a look or two for each thing that has happened"
        go.set()
        wait_for(lambda: engine.tally.done == 5)


def test_without_limited_steps_no_limited_claim_is_made() -> None:
    asked: list[int] = []

    def ask(limit: int, beyond: str) -> Claimed:
        asked.append(limit)
        return Claimed(beyond=beyond)

    limits = LimitedClaims(SYSTEM, ask=ask, free=lambda: 8, workers=8, average=lambda: 0.001)
    plain = Claimed()
    for _ in range(3):
        assert not limits.first()
        assert limits.also(plain) is plain
    assert asked == []
    limits.also(Claimed(limited_due=True))
    assert asked == [8]


def test_a_limited_step_that_lost_engines_is_run_alone(store: Store, registry: Registry) -> None:
    """R15 and R20 together."""
    meter = Meter(registry)
    client = StepClient(store)
    step_id = client.add(new_step("v1/send", limit_key="smtp"))
    _lose_engines(store, "v1/send", 2)
    assert client.get(step_id).lost_count == 2
    engine = Engine(store, registry)
    with engine:
        wait_for(lambda: engine.tally.done == 1)
    assert meter.most == 1


def _lose_engines(store: Store, name: str, times: int) -> None:
    for _ in range(times):
        engine = EngineInfo(id=new_id(), name="x", version="1", handles=(name,), queues=())
        with store.transaction() as tx:
            tx.join(engine)
        request = ClaimRequest(
            engine_id=engine.id, request_id=new_id(), names=(name,), limited=True
        )
        with store.transaction() as tx:
            assert len(tx.claim(request).steps) == 1
        with store.transaction() as tx:
            assert tx.bury(engine.id, 0) is not None


def test_a_step_that_is_executed_again_keeps_its_keys(store: Store, registry: Registry) -> None:
    """R7."""
    Meter(registry)
    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/send", limit_key="a", limit_slots=2, rate_key="b"))
    engine.drain()
    (copy,) = engine.reexecute([step_id])
    step = engine.get(copy)
    assert (step.limit_key, step.limit_slots, step.rate_key) == ("a", 2, "b")
    assert engine.count(rate_key="b", status=StepStatus.DONE).done == 1


def test_steps_of_one_flow_keep_limits_too(store: Store, registry: Registry) -> None:
    meter = Meter(registry)
    client = StepClient(store)
    flow = client.get(client.add(new_step("v1/send", limit_key="smtp"))).flow_id
    client.add_many(sends(5, limit_key="smtp", flow_id=flow, queue="elsewhere"))
    client.add_many(sends(3, limit_key="other"))
    assert Engine(store, registry, flow_id=flow).drain().done == 6
    assert meter.most == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"limit_key": ""},
        {"limit_key": "a\x1fb"},
        {"rate_key": "x" * 201},
        {"limit_slots": 2},
        {"limit_key": "a", "limit_slots": 0},
    ],
)
def test_keys_and_slots_that_cannot_work_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        new_step("v1/send", **fields)


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("limit", ("", 1)),
        ("limit", ("smtp", -1)),
        ("rate", ("smtp", 0, 1.0)),
        ("rate", ("smtp", 1, 0.0)),
        ("pause", ("mail", "")),
        ("pause", ("", "why")),
    ],
)
def test_controls_that_cannot_work_are_refused(verb: str, given: tuple[Any, ...]) -> None:
    client = StepClient(MemoryStore())
    more = {"per": given[2]} if len(given) == 3 else {}
    with pytest.raises(InvalidInput):
        getattr(client, verb)(*given[:2], **more)
    assert client.controls() == []


def test_a_rate_is_not_closed_for_as_long_as_the_clock_was_set_back(registry: Registry) -> None:
    """A rate knows the instant at which it is open again."""
    clock = VirtualClock(SYSTEM.now())
    made = MemoryStore(clock)
    registry.handler("v1/send")(lambda: None)
    engine = Engine(made, registry, clock=clock)
    engine.rate("smtp", 1, per=60.0)
    engine.add(new_step("v1/send", rate_key="smtp"))
    assert engine.drain().done == 1
    clock.set(clock.now() - timedelta(hours=1))
    engine.add(new_step("v1/send", rate_key="smtp"))
    assert engine.drain().done == 1
