"""Each execution of a step as an OpenTelemetry span.

Needs `opentelemetry-api` (`pip install 'stepwell[otel]'`), and an SDK that the program
has set up. The span is current while the handler runs, so that spans of its own code
are children. It is the root of a trace of its own, for a flow may last for months;
links lead to the step that spawned it and to its flow.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import Token
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from uuid import UUID

from stepwell.events import Event, subscribe
from stepwell.extras import needs
from stepwell.version import VERSION

with needs("otel"):
    from opentelemetry import context, trace
    from opentelemetry.context import Context
    from opentelemetry.trace import (
        Link,
        Span,
        SpanContext,
        SpanKind,
        Status,
        StatusCode,
        TraceFlags,
    )

MOST_REMEMBERED: Final = 10_000
"""Steps whose span is remembered, so that what they spawned can link to the very span."""
_SPAN_BITS: Final = (1 << 64) - 1


def trace_events(provider: trace.TracerProvider | None = None) -> Callable[[], None]:
    """Make a span of each execution from now on; returns the function that ends it.

    Parameters
    ----------
    provider : where spans go; the program's own by default.
    """
    tracer = trace.get_tracer("stepwell", VERSION, provider)
    return subscribe(StepTraces(tracer).hear)


@dataclass(frozen=True, slots=True)
class _Running:
    span: Span
    token: Token[Context]


class StepTraces:
    """The spans of the executions that are under way in this process."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer
        self._running: dict[Any, _Running] = {}
        self._remembered: OrderedDict[Any, SpanContext] = OrderedDict()
        self._lock = Lock()

    def hear(self, event: Event) -> None:
        """Begin or end a span; other events are added to the span of their step, if it runs."""
        match event.name:
            case "step.started":
                self._begin(event.fields)
            case "step.executed":
                self._end(event.fields)
            case _:
                running = self._running.get(event.fields.get("step"))
                if running is not None:
                    running.span.add_event(event.name, _attributes(event.fields))

    def _begin(self, fields: Mapping[str, Any]) -> None:
        span = self._tracer.start_span(
            str(fields.get("name", "step")),
            context=Context(),  # not a child of whatever happens to be current here
            kind=SpanKind.CONSUMER,
            attributes=_attributes(fields),
            links=self._links(fields),
        )
        token = context.attach(trace.set_span_in_context(span))
        step = fields.get("step")
        with self._lock:
            self._running[step] = _Running(span, token)
            self._remembered[step] = span.get_span_context()
            self._remembered.move_to_end(step)
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)

    def _end(self, fields: Mapping[str, Any]) -> None:
        with self._lock:
            running = self._running.pop(fields.get("step"), None)
        if running is None:
            return  # it began before anybody listened
        running.span.set_attributes(_attributes(fields))
        if fields.get("error"):
            running.span.set_status(Status(StatusCode.ERROR, str(fields["error"])))
        running.span.end()
        # The same thread, or task, as at the beginning: an execution never changes it.
        context.detach(running.token)

    def _links(self, fields: Mapping[str, Any]) -> list[Link]:
        flow, spawned_by = fields.get("flow"), fields.get("spawned_by")
        links = []
        if isinstance(spawned_by, UUID):
            made_by = self._remembered.get(spawned_by) or _context(flow, spawned_by)
            links.append(Link(made_by, {"stepwell.link": "spawned_by"}))
        if isinstance(flow, UUID) and flow != fields.get("step"):
            links.append(Link(_context(flow, flow), {"stepwell.link": "flow"}))
        return links


def _context(flow: Any, step: UUID) -> SpanContext:
    """A context made from ids alone: the same one in every process, so links can be compared."""
    trace_id = flow.int if isinstance(flow, UUID) else step.int
    return SpanContext(trace_id, step.int & _SPAN_BITS, is_remote=True, trace_flags=TraceFlags(0))


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: value for key, value in fields.items() if value is not None}
    return {f"stepwell.{key}": _plain(value) for key, value in known.items()}


def _plain(value: Any) -> str | bool | int | float:
    # str(): an enumeration's word is a text too, but the SDK wants the bare type.
    return value if type(value) in (bool, int, float) else str(value)
