"""A workflow run in this process, without a server: `stepwell run` (R32, R38)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from stepwell.codec import JSON
from stepwell.engine import Engine
from stepwell.events import Event, subscribe
from stepwell.ids import new_id
from stepwell.registry import Registry
from stepwell.step import EndedAs, Step, StepQuery
from stepwell.workflows.errors import WorkflowUnknown
from stepwell.workflows.host import ChildHost
from stepwell.workflows.local_backend import LocalBackend, LocalStore
from stepwell.workflows.manifest import Manifest, WorkflowEntry
from stepwell.workflows.names import kebab, step_name
from stepwell.workflows.operations import QUEUE, Operations
from stepwell.workflows.output import Echo, pass_through
from stepwell.workflows.references import FORMAT, blob_of

OnEvent: TypeAlias = Callable[[Event], None]

PATIENCE: Final = 2 * 60 * 60.0
"""Seconds that a retry is waited for: as long as the longest delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationResult:
    """What became of one operation. `duration` in seconds, of its last attempt."""

    name: str
    outcome: Literal["done", "failed", "skipped", "not run"]
    attempts: int = 0
    duration: float | None = None
    result: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What became of a run; it has succeeded with warnings if an operation did not, unhalted."""

    state: Literal["succeeded", "failed"]
    warnings: int
    operations: list[OperationResult]
    reports: list[Path] = field(default_factory=list)


def workflows_of(path: Path) -> list[WorkflowEntry]:
    """The workflows of the group at a path.

    Raises
    ------
    StepwellError : the group has a mistake, or is not there.
    """
    host = ChildHost(path)
    try:
        return host.manifest().workflows
    finally:
        host.stop()


def run_local(
    path: Path,
    workflow: str,
    parameters: Mapping[str, Any],
    *,
    reports_dir: Path,
    state_file: Path | None = None,
    on_event: OnEvent | None = None,
    echo: Echo = pass_through,
) -> RunResult:
    """Run one workflow of the group at a path, to its end.

    Parameters
    ----------
    workflow : its name, or its class's name.
    parameters : values by name; texts are read as the annotated types.
    reports_dir : a folder for the reports, made when there is the first.
    state_file : a JSON file for the state store; without one, state is not kept.
    on_event : called with the engine's events, and 'operation.progress'.
    echo : called with each line of output; by default it goes to the same stream here.

    Raises
    ------
    StepwellError : the group, the workflow's name or a parameter is wrong; nothing has run.
    """
    host = ChildHost(path, echo=echo)
    try:
        manifest = host.manifest()
        entry = _found(manifest, workflow)
        values = host.parameters(entry.name, parameters)
        backend = LocalBackend(reports_dir, state_file)
        with _heard(on_event):
            rows = _run(manifest.group.name, entry, values, host, backend)
        return _result(manifest.group.name, entry, rows, backend)
    finally:
        host.stop()


def _run(
    group: str, entry: WorkflowEntry, values: dict[str, Any], host: ChildHost, backend: LocalBackend
) -> list[Step]:
    store, registry, run_id = LocalStore(backend), Registry(), new_id()
    operations = Operations(group, entry, store, host, backend, approved=True)
    operations.register(registry)
    engine = Engine(store, registry, queues=(QUEUE,), workers=1, flow_id=run_id)
    engine.add(operations.first(values, run_id))
    engine.drain(patience=PATIENCE)
    return engine.search(StepQuery(flow_id=run_id, limit=1000))


@contextmanager
def _heard(on_event: OnEvent | None) -> Iterator[None]:
    end = None if on_event is None else subscribe(on_event)
    try:
        yield
    finally:
        if end is not None:
            end()


def _found(manifest: Manifest, name: str) -> WorkflowEntry:
    for entry in manifest.workflows:
        if entry.name in (name, kebab(name)):
            return entry
    raise WorkflowUnknown(
        f"The group {manifest.group.name!r} has no workflow {name!r}.",
        fix=f"It has: {', '.join(one.name for one in manifest.workflows)}.",
    )


def _result(group: str, entry: WorkflowEntry, rows: list[Step], backend: LocalBackend) -> RunResult:
    by_name = {step.name: step for step in rows}
    results = [
        _operation_result(one.name, by_name.get(step_name(group, entry.name, one.name)), backend)
        for one in entry.operations
    ]
    halted = any(one.outcome == "not run" for one in results) or _halts(entry, results[-1])
    warnings = sum(one.outcome in ("failed", "skipped") for one in results)
    return RunResult(
        state="failed" if halted else "succeeded",
        warnings=0 if halted else warnings,
        operations=results,
        reports=backend.reports,
    )


def _halts(entry: WorkflowEntry, last: OperationResult) -> bool:
    return last.outcome == "failed" and entry.operations[-1].halt_on_error


def _operation_result(name: str, step: Step | None, backend: LocalBackend) -> OperationResult:
    if step is None or step.ended_as is None:
        return OperationResult(name=name, outcome="not run")
    outcomes: dict[EndedAs, Literal["done", "skipped", "failed"]] = {
        EndedAs.DONE: "done",
        EndedAs.SKIPPED: "skipped",
    }
    return OperationResult(
        name=name,
        outcome=outcomes.get(step.ended_as, "failed"),
        attempts=step.execution_count,
        duration=step.execution_duration,
        result=_value(step, backend),
        error=None if step.ended_as is EndedAs.DONE else step.description,
    )


def _value(step: Step, backend: LocalBackend) -> Any:
    if step.result is None:
        return None
    if step.result_format == FORMAT:
        return JSON.decode(backend.fetch(blob_of(step.result)).decode())
    return JSON.decode(step.result)
