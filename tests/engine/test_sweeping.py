"""Retention: what a program says of it, and the step that sees to it (R23)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, StepClient, StepStatus, done, new_step
from stepwell.engine.sweeping import SWEEP, come_back, said
from stepwell.errors import HandlerInvalid, InvalidInput, NotSupported, StoreUnavailable
from stepwell.retention import KEEP_FOR_EVER, Kept, Retention, RetentionPolicy
from stepwell.stores.http import HttpStore
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store, Swept, Transaction
from stepwell.testing.clock import VirtualClock

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def client(clock: VirtualClock) -> StepClient:
    return StepClient(MemoryStore(clock), clock=clock)


def ended(client: StepClient, end: Callable[[StepClient, UUID], None], **fields: object) -> UUID:
    step_id = client.add(new_step("v1/work", **fields))  # type: ignore[arg-type]
    end(client, step_id)
    return step_id


def complete(client: StepClient, step_id: UUID) -> None:
    client.complete(step_id, "by hand")


def fail(client: StepClient, step_id: UUID) -> None:
    client.fail(step_id, "by hand")


@pytest.mark.parametrize(
    ("end", "retention", "days"),
    [
        (complete, Retention.SHORT, 7),
        (complete, None, 90),
        (complete, Retention.LONG, 730),
        (fail, Retention.SHORT, 30),
        (fail, None, 180),
        (fail, Retention.LONG, 730),
    ],
)
def test_a_step_is_kept_for_the_time_of_its_class(
    client: StepClient,
    clock: VirtualClock,
    end: Callable[[StepClient, UUID], None],
    retention: Retention | None,
    days: int,
) -> None:
    ended(client, end, retention=retention)
    clock.advance(days * DAY)
    assert client.sweep(RetentionPolicy()).removed == 0
    clock.advance(1)
    assert client.sweep(RetentionPolicy()) == Swept(removed=1)


def test_for_ever_is_for_ever(client: StepClient, clock: VirtualClock) -> None:
    ended(client, complete)
    clock.advance(100_000 * DAY)
    assert client.sweep(KEEP_FOR_EVER) == Swept()
    assert client.sweep(RetentionPolicy(standard=Kept(done=None))).removed == 0


def test_a_span_below_zero_is_a_mistake() -> None:
    with pytest.raises(InvalidInput, match="cannot be kept"):
        Kept(timedelta(days=-1))


def test_a_handler_says_how_long_its_steps_are_kept(store: Store, registry: Registry) -> None:
    """For steps added through the engine, and for those that its handlers spawn."""

    @registry.handler("v1/tick", retention=Retention.SHORT)
    def tick() -> None: ...

    @registry.handler("v1/invoice", retention=Retention.LONG)
    def invoice() -> Outcome:
        return done(next=[new_step("v1/tick"), new_step("v1/tick", retention=Retention.LONG)])

    engine = Engine(store, registry)
    engine.add_many([new_step("v1/invoice"), new_step("v1/tick")])
    assert engine.drain().done == 4
    ticks = [step.retention for step in engine.search(name="v1/tick")]
    assert sorted(ticks) == [Retention.SHORT, Retention.SHORT, Retention.LONG]
    (one,) = engine.search(name="v1/invoice")
    assert one.retention is Retention.LONG


def test_an_engine_with_a_policy_sweeps_and_comes_back(store: Store, registry: Registry) -> None:
    registry.handler("v1/work")(lambda: None)
    StepClient(store).complete(StepClient(store).add(new_step("v1/work")), "by hand")
    engine = Engine(store, registry, retention=RetentionPolicy(standard=Kept(timedelta(0))))
    with engine:
        wait_for(lambda: engine.count(name="v1/work").done == 0)
        wait_for(lambda: engine.search(name=SWEEP)[0].execution_count == 1)
    (sweep,) = engine.search(name=SWEEP)
    assert sweep.description == "The last sweep removed 1 ended steps."
    assert sweep.schedule_time - sweep.created_at > timedelta(minutes=59)


def test_two_engines_have_one_sweep_per_queue(store: Store) -> None:
    for queue in ("default", "default", "mail"):
        with Engine(store, Registry(), queues=(queue,), retention=RetentionPolicy()):
            pass
    queues = [step.queue for step in StepClient(store).search(name=SWEEP)]
    assert sorted(queues) == ["default", "mail"]


def test_an_engine_without_a_policy_leaves_all_as_it_is(store: Store) -> None:
    with Engine(store, Registry()):
        pass
    assert StepClient(store).search(name=SWEEP) == []


def test_one_registry_has_one_sweep(store: Store, registry: Registry) -> None:
    Engine(store, registry, retention=RetentionPolicy())
    with pytest.raises(HandlerInvalid, match="two handlers"):
        Engine(store, registry, retention=RetentionPolicy())


def test_a_container_keeps_no_house(registry: Registry) -> None:
    store = HttpStore("http://127.0.0.1:1", UUID(int=1), "token")
    with pytest.raises(NotSupported, match="retention"):
        Engine(store, registry, retention=RetentionPolicy())


class Locked(MemoryStore):
    """A store whose tables somebody else holds whenever it is to be swept."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:  # type: ignore[override] # less than a real one
        with super().transaction() as tx:
            tx.sweep = self._held  # type: ignore[assignment, method-assign]
            yield tx

    def _held(self, *_: object) -> Swept:
        raise StoreUnavailable("Somebody reads the history.")


def test_a_broken_sweep_stops_nothing(registry: Registry) -> None:
    registry.handler("v1/work")(lambda: None)
    store = Locked()
    with Engine(store, registry, retention=RetentionPolicy()) as engine:
        wait_for(lambda: engine.search(name=SWEEP)[0].failure_count > 0)
        engine.add(new_step("v1/work"))
        wait_for(lambda: engine.count(name="v1/work").done == 1)
    (sweep,) = StepClient(store).search(name=SWEEP, status=StepStatus.READY)
    assert "Somebody reads the history." in str(sweep.description)


def test_a_sweep_that_is_not_over_comes_back_soon(client: StepClient) -> None:
    assert client.sweep(RetentionPolicy(), seconds=-1).more
    assert come_back(Swept(more=True)).after == timedelta(seconds=5)
    assert come_back(Swept()).after == timedelta(hours=1)


def test_a_sweep_says_what_it_did() -> None:
    swept = Swept(2, ("stepwell_done_short_2026_11_19",), ("stepwell_done_short_2026_11_29",))
    assert said(swept) == (
        "The last sweep removed 2 ended steps, dropped stepwell_done_short_2026_11_19,"
        " made stepwell_done_short_2026_11_29."
    )
    assert said(Swept()) == "The last sweep found nothing to do."
