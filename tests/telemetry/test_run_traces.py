"""A run is one trace, whose ids are made from the run's own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from stepwell.ids import new_id
from stepwell.telemetry import run_spans
from stepwell.telemetry.run_spans import RunSpan, span_id, trace_id, traceparent
from stepwell.telemetry.run_traces import trace_runs
from stepwell.workflows.context import Facts
from stepwell.workflows.tracing import within

NOW = datetime(2026, 3, 29, 7, tzinfo=UTC)
provider = TracerProvider()
exporter = InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(exporter))


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    end = trace_runs(provider)
    yield exporter
    end()


def one(run: UUID, name: str, parent: str | None = None, error: str | None = None) -> RunSpan:
    return RunSpan(
        trace_id=trace_id(run),
        span_id=span_id(run, name),
        parent_id=None if parent is None else span_id(run, parent),
        name=name,
        start=NOW,
        end=NOW + timedelta(seconds=5),
        error=error,
        attributes={"run": run},
    )


def test_spans_get_the_ids_and_the_times_that_were_given(spans: InMemorySpanExporter) -> None:
    run = new_id()
    run_spans.send([one(run, "run"), one(run, "load", "run", error="it broke")])
    root, child = spans.get_finished_spans()
    assert root.context.trace_id == child.context.trace_id == run.int
    assert root.parent is None
    assert child.parent is not None
    assert child.parent.span_id == root.context.span_id == span_id(run, "run")
    assert child.end_time is not None
    assert child.start_time is not None
    assert child.end_time - child.start_time == 5_000_000_000
    assert (child.status.is_ok, child.status.description) == (False, "it broke")


def test_a_span_of_the_operation_itself_is_a_child_of_the_operations(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_id()
    tracer = trace.get_tracer("shop", tracer_provider=provider)
    facts = Facts(run_id=run, group="g", workflow="w", operation="load")
    monkeypatch.setenv("TRACEPARENT", traceparent(run, "attempt", 1))
    with within(facts), tracer.start_as_current_span("inner"):
        pass
    monkeypatch.delenv("TRACEPARENT")
    with within(facts), tracer.start_as_current_span("outside"):
        pass
    inner, outside = spans.get_finished_spans()
    assert inner.context.trace_id == run.int
    assert inner.parent is not None
    assert inner.parent.span_id == span_id(run, "operation", "load")
    assert outside.parent is None


def test_the_parent_is_written_as_w3c_has_it() -> None:
    run = new_id()
    carrier = {"traceparent": traceparent(run, "attempt", 2)}
    context = TraceContextTextMapPropagator().extract(carrier)
    found = trace.get_current_span(context).get_span_context()
    assert (found.trace_id, found.span_id) == (run.int, span_id(run, "attempt", 2))
    assert found.trace_flags.sampled


def test_nobody_listens_by_default() -> None:
    assert not run_spans.wanted()


def test_an_image_works_without_opentelemetry() -> None:
    program = "import sys; sys.modules['opentelemetry'] = None\nimport stepwell.workflows.child\n"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_only_what_traces_imports_opentelemetry_when_it_is_loaded() -> None:
    """So the server needs it only where it is asked to trace."""
    source = Path(run_spans.__file__).parents[1]
    importing = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"^( {4})?(from|import) opentelemetry", path.read_text(), re.MULTILINE)
    }
    assert importing == {"telemetry/opentelemetry.py", "telemetry/run_traces.py"}
