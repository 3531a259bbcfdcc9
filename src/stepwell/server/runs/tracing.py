"""The trace of a run that has ended, from its rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from stepwell.server.runs.judgement import Verdict, operation_of
from stepwell.server.runs.records import RunState
from stepwell.step import EndedAs, Step
from stepwell.telemetry.run_spans import RunSpan, span_id, trace_id


def spans(
    run: RowMapping,
    attempts: Sequence[RowMapping],
    steps: Iterable[Step],
    verdict: Verdict,
    now: datetime,
) -> Iterator[RunSpan]:
    """Due instant, run, attempts and operations: parents before their children."""
    scheduled = run["trigger"] == "schedule"
    if scheduled:
        yield _span(run, ("tick",), None, "due", run["due_at"], run["created_at"])
    yield RunSpan(
        trace_id=trace_id(run["id"]),
        span_id=span_id(run["id"], "run"),
        parent_id=span_id(run["id"], "tick") if scheduled else None,
        name=f"run {run['group_name']}/{run['workflow']}",
        start=run["created_at"],
        end=now,
        error=(verdict.reason or "failed") if verdict.state is RunState.FAILED else None,
        attributes={
            "run": run["id"],
            "group": run["group_name"],
            "workflow": run["workflow"],
            "trigger": run["trigger"],
            "state": verdict.state,
        },
    )
    for one in attempts:
        yield _attempt(run, one, now)
    for step in steps:
        if step.execution_started_at is not None:
            yield _operation(run, attempts, step)


def _attempt(run: RowMapping, one: RowMapping, now: datetime) -> RunSpan:
    path = ("attempt", one["number"])
    end = one["finished_at"] or now
    return _span(run, path, ("run",), f"attempt {one['number']}", one["queued_at"], end)


def _operation(run: RowMapping, attempts: Sequence[RowMapping], step: Step) -> RunSpan:
    begun = step.execution_started_at
    assert begun is not None
    number = max((one["number"] for one in attempts if one["queued_at"] <= begun), default=1)
    operation = operation_of(step)
    failed = step.ended_as is EndedAs.FAILED
    return RunSpan(
        trace_id=trace_id(run["id"]),
        span_id=span_id(run["id"], "operation", operation),
        parent_id=span_id(run["id"], "attempt", number),
        name=operation,
        start=begun,
        end=begun + timedelta(seconds=step.execution_duration or 0.0),
        error=(step.description or "failed").partition("\n")[0] if failed else None,
        attributes={
            "step": step.id,
            "operation": operation,
            "executions": step.execution_count,
            "ended_as": step.ended_as or "",
        },
    )


def _span(
    run: RowMapping,
    path: tuple[object, ...],
    parent: tuple[object, ...] | None,
    name: str,
    start: datetime,
    end: datetime,
) -> RunSpan:
    run_id = run["id"]
    return RunSpan(
        trace_id=trace_id(run_id),
        span_id=span_id(run_id, *path),
        parent_id=None if parent is None else span_id(run_id, *parent),
        name=name,
        start=start,
        end=max(start, end),
        attributes={"run": run_id},
    )
