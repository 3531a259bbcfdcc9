"""What Prometheus reads: counts by outcome, durations, troubles, and the store's counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from stepwell import Engine, FailStep, Registry, RetryPolicy, StepClient, done, new_step, rerun
from stepwell.errors import StoreUnavailable
from stepwell.events import emit
from stepwell.outcome import Outcome
from stepwell.stores.inspecting import Overview
from stepwell.stores.memory import MemoryStore
from stepwell.telemetry.prometheus import measure_events, measure_store
from stepwell.testing.clock import VirtualClock

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(registry: CollectorRegistry) -> Samples:
    """What a scrape gives, read by Prometheus' own parser."""
    text = generate_latest(registry).decode()
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def value(found: Samples, name: str, /, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


@contextmanager
def measured(**options: int) -> Iterator[CollectorRegistry]:
    registry = CollectorRegistry()
    end = measure_events(registry, **options)
    try:
        yield registry
    finally:
        end()


@pytest.fixture
def registry() -> Registry:
    made = Registry()

    @made.handler("v1/ends", retry=RetryPolicy(delays=(3600.0,)))
    def ends(state: str) -> Outcome:
        match state:
            case "fail":
                raise FailStep("no")
            case "break":
                raise ValueError("broken")
        return done()

    @made.handler("v1/again")
    def again(state: int) -> Outcome:
        return rerun(state=state - 1) if state else done()

    return made


def test_executions_are_counted_by_name_and_outcome(registry: Registry) -> None:
    engine = Engine(MemoryStore(), registry)
    for state in ("well", "well", "fail", "break"):
        engine.add(new_step("v1/ends", state))
    engine.add(new_step("v1/again", 2))
    with measured() as seen:
        engine.drain()
        found = samples(seen)
    counted = {
        (labels[0][1], labels[1][1]): number
        for (name, labels), number in found.items()
        if name == "stepwell_steps_executed_total"
    }
    assert counted == {
        ("v1/ends", "done"): 2,
        ("v1/ends", "failed"): 1,
        ("v1/ends", "retry"): 1,
        ("v1/again", "rerun"): 2,
        ("v1/again", "done"): 1,
    }
    assert value(found, "stepwell_step_duration_seconds_count", name="v1/ends") == 4
    assert value(found, "stepwell_steps_settled_total") == 7
    assert value(found, "stepwell_steps_claimed_total") == 7
    assert value(found, "stepwell_engine_up") == 0, "it has stopped"


def test_an_engine_is_up_while_it_runs(registry: Registry) -> None:
    with measured() as seen, Engine(MemoryStore(), registry):
        assert value(samples(seen), "stepwell_engine_up") == 1


def test_troubles_are_counted() -> None:
    with measured() as seen:
        emit("step.refused", step=1, name="v1/x")
        emit("step.rejected", step=1, error="too large")
        emit("engine.buried", engine=1, released=3, failed=())
        emit("engine.declared_dead", engine=1, dropped=2)
        emit("engine.claim_failed", engine=1, error="away", retry_after=1.0)
        emit("engine.settled", count=5, duration=0.1, error="away")
        found = samples(seen)
    assert value(found, "stepwell_steps_refused_total") == 1
    assert value(found, "stepwell_steps_rejected_total") == 1
    assert value(found, "stepwell_engine_buried_total") == 1
    assert value(found, "stepwell_engine_declared_dead_total") == 1
    assert value(found, "stepwell_engine_store_troubles_total", call="claim") == 1
    assert value(found, "stepwell_steps_settled_total") == 0, "that commit failed"


def test_step_names_beyond_the_bound_share_a_label() -> None:
    """Names made from ids must not make a series each."""
    with measured(most_names=2) as seen:
        for name in ("a", "b", "c", "d", "a"):
            emit("step.executed", name=name, ended_as="done", duration=0.1)
        names = {
            labels[0][1] for (name, labels) in samples(seen) if name.endswith("executed_total")
        }
        other = value(samples(seen), "stepwell_steps_executed_total", name="other", outcome="done")
    assert (names, other) == ({"a", "b", "other"}, 2)


def test_unknown_events_and_missing_fields_disturb_nobody() -> None:
    with measured() as seen:
        emit("something.new", count="many")
        emit("step.executed")
        emit("engine.claimed")
        assert value(samples(seen), "stepwell_steps_claimed_total") == 0


class Counting(MemoryStore):
    """Tells how often it was read."""

    reads = 0
    away = False
    after: Callable[[], object] = staticmethod(lambda: None)

    def overview(self, since: object) -> Overview:
        self.reads += 1
        self.after()
        if self.away:
            raise StoreUnavailable("away")
        return super().overview(since)  # type: ignore[arg-type]


def test_the_stores_counts_are_gauges_by_queue_and_state() -> None:
    store, seen = Counting(), CollectorRegistry()
    steps = StepClient(store)
    steps.add(new_step("v1/x", queue="mail"))
    steps.fail(steps.add(new_step("v1/x")), "by hand")
    measure_store(store, seen)
    assert store.reads == 0, "registering contacts nobody"
    found = samples(seen)
    assert value(found, "stepwell_store_up") == 1
    assert value(found, "stepwell_steps", queue="mail", state="due") == 1
    assert value(found, "stepwell_steps", queue="default", state="failed") == 1
    assert 0 <= value(found, "stepwell_steps_oldest_due_seconds", queue="mail") < 60


def test_scrapes_close_together_read_the_store_once() -> None:
    store, clock, seen = Counting(), VirtualClock(), CollectorRegistry()
    measure_store(store, seen, clock=clock)
    samples(seen), samples(seen)
    assert store.reads == 1
    clock.advance(15)
    samples(seen)
    assert store.reads == 2


def test_a_slow_store_is_read_more_rarely() -> None:
    """Reading takes a twentieth of the time at most."""
    store, clock, seen = Counting(), VirtualClock(), CollectorRegistry()
    store.after = lambda: clock.advance(3)
    measure_store(store, seen, clock=clock)
    for _ in range(4):
        samples(seen)
        clock.advance(15)
    assert store.reads == 1
    clock.advance(1)
    samples(seen)
    assert store.reads == 2


def test_a_store_that_is_away_shows_as_down_and_comes_back() -> None:
    store, clock, seen = Counting(), VirtualClock(), CollectorRegistry()
    measure_store(store, seen, clock=clock)
    store.away = True
    assert value(samples(seen), "stepwell_store_up") == 0
    store.away = False
    clock.advance(15)
    assert value(samples(seen), "stepwell_store_up") == 1


def test_retries_are_told_from_reruns(registry: Registry) -> None:
    again = Registry()

    @again.handler("v1/twice", retry=RetryPolicy(attempts=2, delays=(0.0,)))
    def twice() -> Outcome:
        raise ValueError

    engine = Engine(MemoryStore(), again)
    engine.add(new_step("v1/twice"))
    with measured() as seen:
        engine.drain(patience=5)
        found = samples(seen)
    total = "stepwell_steps_executed_total"
    assert value(found, total, name="v1/twice", outcome="retry") == 1
    assert value(found, total, name="v1/twice", outcome="failed") == 1
