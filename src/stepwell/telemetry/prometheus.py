"""The engine's events as Prometheus metrics, and the store's counts as gauges.

Needs `prometheus-client` (`pip install 'stepwell[prometheus]'`). Labels are bounded:
step names beyond `most_names` share the label `other`, errors and ids are no labels.

    from stepwell.telemetry.prometheus import measure_events, measure_store

    measure_events()
    measure_store(store)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from stepwell.clock import SYSTEM, Clock
from stepwell.errors import StepwellError
from stepwell.events import Event, emit, subscribe
from stepwell.extras import needs
from stepwell.stores.inspecting import Inspectable, Overview
from stepwell.stores.protocol import Store

with needs("prometheus"):
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.metrics_core import GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector

MOST_NAMES: Final = 200
"""Step names that get a label of their own."""
OTHER: Final = "other"
_BUCKETS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 1800.0)
_TROUBLES: Final = {
    "engine.beat_failed": "beat",
    "engine.claim_failed": "claim",
    "engine.hold_failed": "hold",
    "engine.settle_failed": "settle",
    "engine.leave_failed": "leave",
    "store.wake_lost": "wake",
}


def measure_events(
    registry: CollectorRegistry = REGISTRY, *, most_names: int = MOST_NAMES
) -> Callable[[], None]:
    """Count and time this process's events from now on.

    Parameters
    ----------
    registry : where the metrics are registered.
    most_names : so many step names get a label of their own, first come first served.

    Returns
    -------
    The function that ends it; the metrics stay registered and keep their values.
    """
    return subscribe(EventMetrics(registry, most_names).hear)


def measure_store(
    store: Store,
    registry: CollectorRegistry = REGISTRY,
    *,
    at_most_every: float = 15.0,
    clock: Clock = SYSTEM,
) -> None:
    """Show the store's counts per queue as gauges, read when Prometheus asks.

    One process of a fleet is enough: the counts are those of the whole store.

    Parameters
    ----------
    at_most_every : seconds for which an answer serves; longer by itself where reading is
        slow, so that scraping takes no more than a twentieth of the time.
    """
    registry.register(StoreMetrics(store, at_most_every, clock))


class EventMetrics:
    """The metrics of one registry, fed by `hear`."""

    def __init__(self, registry: CollectorRegistry, most_names: int) -> None:
        self._names: set[str] = set()
        self._most_names = most_names
        steps, engines = ("stepwell", "steps", registry), ("stepwell", "engine", registry)
        self.executed = _counter(*steps, "executed", "Executions by outcome.", ("name", "outcome"))
        self.duration = Histogram(
            "stepwell_step_duration_seconds",
            "How long handlers ran.",
            ("name",),
            registry=registry,
            buckets=_BUCKETS,
        )
        self.claimed = _counter(*steps, "claimed", "Steps claimed.")
        self.settled = _counter(*steps, "settled", "Outcomes sent to the store.")
        self.refused = _counter(*steps, "refused", "Outcomes of claims that were taken away.")
        self.rejected = _counter(*steps, "rejected", "Outcomes whose data the store refused.")
        self.buried = _counter(*engines, "buried", "Other engines that were found dead.")
        self.died = _counter(*engines, "declared_dead", "Times this process was declared dead.")
        self.troubles = _counter(
            *engines, "store_troubles", "Calls of the store that failed.", ("call",)
        )
        self.commit = Histogram(
            "stepwell_engine_commit_seconds",
            "How long the commit of a group of outcomes took.",
            registry=registry,
            buckets=_BUCKETS[:8],
        )
        self.up = Gauge(
            "stepwell_engine_up", "Engines of this process that run.", registry=registry
        )

    def hear(self, event: Event) -> None:
        """Count one event; those that are not known are left alone."""
        fields = event.fields
        match event.name:
            case "step.executed":
                self._executed(fields)
            case "engine.claimed":
                self.claimed.inc(_number(fields, "count"))
            case "engine.settled":
                self.settled.inc(0 if fields.get("error") else _number(fields, "count"))
                self.commit.observe(_number(fields, "duration"))
            case "step.refused":
                self.refused.inc()
            case "step.rejected":
                self.rejected.inc()
            case _:
                self._engine(event.name)

    def _engine(self, name: str) -> None:
        match name:
            case "engine.started":
                self.up.inc()
            case "engine.stopped":
                self.up.dec()
            case "engine.buried":
                self.buried.inc()
            case "engine.declared_dead":
                self.died.inc()
            case _ if name in _TROUBLES:
                self.troubles.labels(_TROUBLES[name]).inc()

    def _executed(self, fields: Mapping[str, Any]) -> None:
        name = self._label(str(fields.get("name", "")))
        self.executed.labels(name, outcome_of(fields)).inc()
        self.duration.labels(name).observe(_number(fields, "duration"))

    def _label(self, name: str) -> str:
        if name in self._names:
            return name
        if len(self._names) >= self._most_names:
            return OTHER
        self._names.add(name)
        return name


class StoreMetrics(Collector):
    """Gauges of a store's counts; a store that cannot be read shows as `stepwell_store_up 0`."""

    def __init__(self, store: Store, at_most_every: float, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._at_most_every = at_most_every
        self._reading = threading.Lock()
        self._fresh_until = float("-inf")
        self._last: Overview | None = None

    def describe(self) -> Iterable[Metric]:
        """What `collect` gives, without asking the store: registering contacts nobody."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """The gauges of the latest reading."""
        with self._reading:
            if self._clock.monotonic() >= self._fresh_until:
                self._read()
            seen = self._last
        up, steps, oldest = self._families()
        up.add_metric([], 0.0 if seen is None else 1.0)
        for line in () if seen is None else seen.lines:
            steps.add_metric([line.queue, line.state], line.count)
            if line.state == "due" and line.oldest is not None:
                late = (self._clock.now() - line.oldest).total_seconds()
                oldest.add_metric([line.queue], max(late, 0.0))
        return up, steps, oldest

    def _read(self) -> None:
        begun = self._clock.monotonic()
        try:
            self._last = _overview(self._store, self._clock)
        except StepwellError as error:
            self._last = None
            emit("store.unreadable", error=str(error))
        took = self._clock.monotonic() - begun
        self._fresh_until = begun + took + max(self._at_most_every, 20 * took)

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily("stepwell_store_up", "Whether the store could be read."),
            GaugeMetricFamily(
                "stepwell_steps", "Steps that are ready or failed.", labels=("queue", "state")
            ),
            GaugeMetricFamily(
                "stepwell_steps_oldest_due_seconds",
                "How long the step that has waited longest has been due.",
                labels=("queue",),
            ),
        )


def outcome_of(fields: Mapping[str, Any]) -> str:
    """`done`, `skipped`, `failed`, `rerun`, or `retry` after an exception, of a step.executed."""
    ended_as = fields.get("ended_as")
    if ended_as is not None:
        return str(ended_as)
    return "retry" if fields.get("error") else "rerun"


def _overview(store: Store, clock: Clock) -> Overview | None:
    if not isinstance(store, Inspectable):
        return None
    # Nothing that ended is wanted here: what came of executions is counted by events.
    return store.overview(clock.now() + timedelta(days=1))


def _counter(
    namespace: str,
    subsystem: str,
    registry: CollectorRegistry,
    name: str,
    meaning: str,
    labels: tuple[str, ...] = (),
) -> Counter:
    return Counter(
        name, meaning, labels, namespace=namespace, subsystem=subsystem, registry=registry
    )


def _number(fields: Mapping[str, Any], name: str) -> float:
    return float(fields.get(name) or 0.0)
