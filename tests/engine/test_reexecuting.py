"""Re-execution of what a search finds: paced, stopped by failures, resumable (R7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from stepwell import Engine, Registry, RetryPolicy, StepClient, StepStatus, new_step
from stepwell.clock import now
from stepwell.engine import reexecuting
from stepwell.engine.reexecuting import Reexecution
from stepwell.errors import InvalidInput
from stepwell.ids import new_id
from stepwell.step import StepQuery
from stepwell.stores.protocol import Store
from stepwell.testing.clock import VirtualClock

FAST = 100_000.0


def failed(client: StepClient, count: int, name: str = "v1/pay") -> list[UUID]:
    """Steps that have failed, in the past: a call takes what was there before it."""
    ids = client.add_many(new_step(name, number) for number in range(count))
    for step_id in ids:
        client.fail(step_id, "the bank was closed")
    while now() - client.get(ids[-1]).created_at < timedelta(milliseconds=2):
        time.sleep(0.001)
    return ids


def sources(client: StepClient) -> set[UUID | None]:
    """What ready steps are copies of."""
    return {step.copy_of for step in client.search(status=StepStatus.READY, limit=1000)}


@pytest.fixture
def client(store: Store) -> StepClient:
    return StepClient(store)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, which take no time."""
    made: list[float] = []
    monkeypatch.setattr(reexecuting, "sleep", made.append)
    return made


def test_every_failed_step_that_matches_is_copied_once(client: StepClient) -> None:
    ids = failed(client, 7)
    failed(client, 1, "v1/mail")
    told = client.reexecute_matching(name="v1/pay", rate=FAST)
    assert (told.copied, told.left_out, told.stopped) == (7, 0, False)
    assert sources(client) == set(ids)


def test_done_steps_are_copied_if_the_query_asks_for_them(client: StepClient) -> None:
    failed(client, 1)
    step_id = client.add(new_step("v1/pay"))
    client.complete(step_id, "by hand")
    time.sleep(0.002)
    assert client.reexecute_matching(StepQuery(status=StepStatus.DONE), rate=FAST).copied == 1
    assert sources(client) == {step_id}


def test_copies_that_fail_are_not_copied_again(store: Store, registry: Registry) -> None:
    registry.handler("v1/pay", retry=RetryPolicy(attempts=1))(_raise)
    client = StepClient(store)
    failed(client, 3)
    with Engine(store, registry):
        told = client.reexecute_matching(rate=20.0)
    assert told.copied == 3


def test_the_same_call_again_copies_no_source_twice(client: StepClient) -> None:
    ids, call = failed(client, 6), new_id()
    first = client.reexecute_matching(rate=FAST, limit=2, call=call)
    assert (first.copied, sources(client)) == (2, set(sorted(ids)[:2]))
    again = client.reexecute_matching(rate=FAST, call=call)
    assert (again.copied, again.left_out) == (6, 0)
    assert client.count().ready == 6
    assert client.reexecute_matching(rate=FAST, call=call).copied == 6
    assert client.count().ready == 6


def test_a_call_that_was_interrupted_goes_on_where_it_was(client: StepClient) -> None:
    ids, call = failed(client, 60), new_id()

    def interrupt(told: Reexecution) -> None:
        if told.copied >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.reexecute_matching(rate=40, call=call, watch=interrupt)
    assert 20 <= client.count().ready < 60
    assert client.reexecute_matching(rate=FAST, call=call).copied == 60
    assert sources(client) == set(ids)


def test_a_source_whose_key_is_taken_is_left_out(client: StepClient) -> None:
    step_id = client.add(new_step("v1/pay", unique_key="a"))
    client.fail(step_id, "by hand")
    client.add(new_step("v1/pay", unique_key="a"))
    time.sleep(0.002)
    told = client.reexecute_matching(rate=FAST)
    assert (told.copied, told.left_out) == (0, 1)


def test_copies_are_made_at_the_rate_and_no_faster(store: Store, waits: list[float]) -> None:
    """On a clock that stands still: what a round takes is not waited for once more."""
    clock = VirtualClock(now())
    client = StepClient(store, clock=clock)
    failed(client, 12)
    clock.advance(60)
    told = client.reexecute_matching(rate=8.0)
    assert told.copied == 12
    assert len(waits) == 6
    assert sum(waits) == pytest.approx(12 / 8)


def _raise() -> None:
    raise OSError("the bank is still closed")


@pytest.mark.parametrize(
    "retry", [RetryPolicy(attempts=1), RetryPolicy()], ids=["failed", "waiting for a retry"]
)
def test_it_stops_when_too_many_copies_fail(
    store: Store, registry: Registry, retry: RetryPolicy
) -> None:
    registry.handler("v1/pay", retry=retry)(_raise)
    client, seen = StepClient(store), list[Reexecution]()
    failed(client, 200)
    with Engine(store, registry):
        told = client.reexecute_matching(rate=8.0, stop_after_failures=3, watch=seen.append)
    assert told.stopped
    assert 3 <= told.failed + told.failing <= told.copied < 200
    assert seen[-1] == told


def test_progress_tells_what_became_of_the_copies(store: Store, registry: Registry) -> None:
    @registry.handler("v1/pay", retry=RetryPolicy(attempts=1))
    def pay(state: int) -> None:
        if state == 0:
            _raise()

    client, call = StepClient(store), new_id
    failed(client, 5)
    this = call()
    client.reexecute_matching(rate=FAST, call=this)
    Engine(store, registry).drain()
    told = client.reexecute_matching(rate=FAST, call=this)
    assert (told.copied, told.done, told.failed) == (5, 4, 1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda client: client.reexecute_matching(rate=0), "none"),
        (lambda client: client.reexecute_matching(status=StepStatus.READY), "Ready"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    client: StepClient, call: Callable[[StepClient], object], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        call(client)


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_what_was_there_before_the_call_is_said_by_the_stores_clock(
    store: Store, seconds: int
) -> None:
    """It may be another than that of the machine, which has made the call's id."""
    clock = VirtualClock(now() + timedelta(seconds=seconds))
    client = StepClient(store, clock=clock)
    ids = client.add_many(new_step("v1/pay") for _ in range(3))
    for step_id in ids:
        client.fail(step_id, "the bank was closed")

    def fail_all(so_far: Reexecution) -> None:
        for step in client.search(status=StepStatus.READY):
            client.fail(step.id, "it still is")

    clock.advance(60)
    told = client.reexecute_matching(name="v1/pay", rate=FAST, limit=20, watch=fail_all)
    assert told.copied == 3
