"""Each run as one OpenTelemetry trace, from its due instant to its operations.

Needs `opentelemetry-api` (`pip install 'stepwell[otel]'`), and an SDK that the program
has set up. A trace is exported when its run has ended, from the rows of the database:
so it is whole, whichever servers and containers the run has outlived.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from stepwell.telemetry.run_spans import RunSpan, listen
from stepwell.version import VERSION


def trace_runs(provider: trace.TracerProvider | None = None) -> Callable[[], None]:
    """Export the trace of each run that ends; returns the function that ends it.

    Parameters
    ----------
    provider : where spans go; the program's own by default.
    """
    tracer = (provider or trace.get_tracer_provider()).get_tracer("stepwell", VERSION)
    ids = _GivenIds()
    if hasattr(tracer, "id_generator"):  # the SDK's; what the API offers by itself traces nothing
        tracer.id_generator = ids

    def export(spans: Sequence[RunSpan]) -> None:
        for one in spans:
            _export(tracer, ids, one)

    return listen(export)


class _GivenIds:
    """Gives each span the ids that it is to have, in place of random ones."""

    def __init__(self) -> None:
        self._next = threading.local()

    def take(self, one: RunSpan) -> None:
        """The next span of this thread is this one."""
        self._next.ids = one.trace_id, one.span_id

    def generate_trace_id(self) -> int:
        """Of the SDK's `IdGenerator`."""
        found: int = self._next.ids[0]
        return found

    def generate_span_id(self) -> int:
        """Of the SDK's `IdGenerator`."""
        found: int = self._next.ids[1]
        return found

    def is_trace_id_random(self) -> bool:
        """Of the SDK's `IdGenerator`: the low bits of a UUID version 7 are random."""
        return True


def _export(tracer: trace.Tracer, ids: _GivenIds, one: RunSpan) -> None:
    ids.take(one)
    span = tracer.start_span(
        one.name,
        context=_parent(one),
        kind=SpanKind.INTERNAL,
        attributes={f"stepwell.{key}": _plain(value) for key, value in one.attributes.items()},
        start_time=_nanoseconds(one.start),
    )
    if one.error is not None:
        span.set_status(Status(StatusCode.ERROR, one.error))
    span.end(_nanoseconds(one.end))


def _parent(one: RunSpan) -> Context:
    if one.parent_id is None:
        return Context()
    sampled = TraceFlags(TraceFlags.SAMPLED)
    parent = SpanContext(one.trace_id, one.parent_id, is_remote=True, trace_flags=sampled)
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def _nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000) * 1000


def _plain(value: Any) -> str | bool | int | float:
    return value if type(value) in (bool, int, float) else str(value)
