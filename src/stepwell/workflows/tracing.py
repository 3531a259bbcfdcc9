"""The user's own spans become children of their operation's, where the server traces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from stepwell.telemetry.run_spans import VARIABLE, span_id, trace_id
from stepwell.workflows.context import Facts


@contextmanager
def within(facts: Facts) -> Iterator[None]:
    """Make the operation's span the current one; nothing without `TRACEPARENT` or the API."""
    if not os.environ.get(VARIABLE):
        yield
        return
    try:
        from opentelemetry import context, trace  # noqa: PLC0415 - optional
    except ImportError:
        yield
        return
    run = facts.run_id
    parent = trace.SpanContext(
        trace_id(run),
        span_id(run, "operation", facts.operation),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))
    try:
        yield
    finally:
        context.detach(token)
