"""Each execution is a span, with links to what it came from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from stepwell import Engine, Registry, RetryPolicy, done, new_step
from stepwell.events import emit
from stepwell.ids import new_id
from stepwell.outcome import Outcome
from stepwell.stores.memory import MemoryStore
from stepwell.telemetry.opentelemetry import trace_events

provider = TracerProvider()
exporter = InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(exporter))


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    end = trace_events(provider)
    yield exporter
    end()


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [one for one in spans.get_finished_spans() if one.name == name]
    return span


@pytest.fixture
def registry() -> Registry:
    made, tracer = Registry(), trace.get_tracer("shop", tracer_provider=provider)

    @made.handler("v1/first")
    def first() -> Outcome:
        with tracer.start_as_current_span("inner"):
            return done(next=new_step("v1/second"))

    @made.handler("v1/second")
    async def second() -> Outcome:
        with tracer.start_as_current_span("awaited"):
            await asyncio.sleep(0)
        return done()

    @made.handler("v1/breaks", retry=RetryPolicy(delays=(3600.0,)))
    def breaks() -> Outcome:
        raise ValueError("no")

    return made


def run(registry: Registry, name: str) -> None:
    engine = Engine(MemoryStore(), registry)
    engine.add(new_step(name))
    engine.drain()


def test_a_span_has_the_steps_name_ids_and_outcome(
    registry: Registry, spans: InMemorySpanExporter
) -> None:
    run(registry, "v1/first")
    span = named(spans, "v1/first")
    told = dict(span.attributes or {})
    assert told["stepwell.ended_as"] == "done"
    assert told["stepwell.flow"] == told["stepwell.step"]
    assert told["stepwell.execution"] == 1
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(("step", "inner"), [("v1/first", "inner"), ("v1/second", "awaited")])
def test_what_the_handler_traces_is_a_child_of_its_step(
    registry: Registry, spans: InMemorySpanExporter, step: str, inner: str
) -> None:
    run(registry, "v1/first")
    parent, child = named(spans, step), named(spans, inner)
    assert child.parent == parent.get_span_context()
    assert parent.parent is None, "a trace of its own"


def test_a_step_links_to_the_execution_that_spawned_it_and_to_its_flow(
    registry: Registry, spans: InMemorySpanExporter
) -> None:
    run(registry, "v1/first")
    first, second = named(spans, "v1/first"), named(spans, "v1/second")
    links = {str((one.attributes or {})["stepwell.link"]): one.context for one in second.links}
    assert links["spawned_by"] == first.get_span_context()
    assert f"{links['flow'].trace_id:032x}" == str(
        (first.attributes or {})["stepwell.flow"]
    ).replace("-", "")
    assert not first.links


def test_a_failed_attempt_is_an_error(registry: Registry, spans: InMemorySpanExporter) -> None:
    run(registry, "v1/breaks")
    span = named(spans, "v1/breaks")
    assert span.status.status_code is StatusCode.ERROR
    assert "ValueError" in str(span.status.description)


def test_after_an_execution_nothing_is_current(
    registry: Registry, spans: InMemorySpanExporter
) -> None:
    seen = []

    @registry.handler("v1/looks")
    def looks() -> Outcome:
        seen.append(trace.get_current_span())
        return done()

    run(registry, "v1/first")
    run(registry, "v1/looks")
    assert seen[0].get_span_context() == named(spans, "v1/looks").get_span_context()


def test_links_of_steps_spawned_elsewhere_are_made_from_ids(spans: InMemorySpanExporter) -> None:
    flow, parent = new_id(), new_id()
    for name in ("one", "two"):
        step = new_id()
        emit("step.started", step=step, name=name, flow=flow, spawned_by=parent)
        emit("step.executed", step=step, name=name, ended_as="done")
    one, two = named(spans, "one"), named(spans, "two")
    assert [link.context for link in one.links] == [link.context for link in two.links]


def test_other_events_of_a_running_step_are_told_on_its_span(spans: InMemorySpanExporter) -> None:
    step = new_id()
    emit("operation.progress", step=step, done=1)
    emit("step.started", step=step, name="one")
    emit("operation.progress", step=step, done=2)
    emit("step.executed", step=step, name="one")
    emit("step.executed", step=step, name="one")
    span = named(spans, "one")
    assert [event.name for event in span.events] == ["operation.progress"]
