"""A run as spans: its due instant, the run, its attempts, their operations. Pure.

Ids are made from those of the run alone, so a server that was killed goes on with the
same trace, and a container knows its parent from one environment variable, in the form of
https://www.w3.org/TR/trace-context. Nothing here needs OpenTelemetry; `run_traces` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

VARIABLE: Final = "TRACEPARENT"
"""The environment variable by which a container gets its parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpan:
    """One span. `parent_id` is None for the root; `error` is what went wrong, if it did."""

    trace_id: int
    span_id: int
    parent_id: int | None
    name: str
    start: datetime
    end: datetime
    error: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


Sink: TypeAlias = Callable[[Sequence[RunSpan]], None]
_sinks: list[Sink] = []


def listen(sink: Sink) -> Callable[[], None]:
    """Hand the spans of each run that ends to `sink`; returns the function that ends it."""
    _sinks.append(sink)
    return lambda: _sinks.remove(sink)


def wanted() -> bool:
    """Whether anybody listens in this process."""
    return bool(_sinks)


def send(spans: Sequence[RunSpan]) -> None:
    """Hand spans to whoever listens."""
    for sink in tuple(_sinks):
        sink(spans)


def trace_id(run_id: UUID) -> int:
    """The trace of a run."""
    return run_id.int


def span_id(run_id: UUID, *path: object) -> int:
    """The span of something in a run: `attempt`, 1 or `operation`, 'load'; never 0."""
    text = "/".join(map(str, (run_id, *path)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") or 1


def traceparent(run_id: UUID, *path: object) -> str:
    """The parent of what happens there, as W3C has it; sampled."""
    return f"00-{trace_id(run_id):032x}-{span_id(run_id, *path):016x}-01"
