"""What a run's rows mean for the run. Pure: nothing here reads a clock or a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stepwell.server.runs.records import RunState
from stepwell.step import EndedAs, Step, StepStatus

MOST_LOST: Final = 3
"""So many containers may be lost at one operation; then the run fails (R15)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended; of a failure, in which operation."""

    state: RunState
    reason: str | None = None
    warnings: int = 0
    operation: str | None = None


def step_name(group: str, workflow: str, operation: str) -> str:
    """The step name of an operation."""
    return f"v1/{group}/{workflow}/{operation}"


def operation_of(step: Step) -> str:
    """The operation that a step of a run is an execution of."""
    return step.name.rpartition("/")[2]


def ready(steps: Iterable[Step]) -> list[Step]:
    """The steps that have not ended, the one due first at the front, joins that wait last."""
    waiting = [step for step in steps if step.status is StepStatus.READY]
    return sorted(waiting, key=lambda step: (step.waiting_for > 0, step.schedule_time, step.id))


def judge(entry: Mapping[str, Any], prefix: str, steps: Iterable[Step]) -> Verdict:
    """How a run without ready rows ended, by its rows and by which operations halt (R32).

    Parameters
    ----------
    entry : the workflow in the manifest.
    prefix : the beginning of its step names, up to the last '/'.
    """
    last = {step.name: step for step in sorted(steps, key=lambda one: (one.created_at, one.id))}
    warnings = 0
    for operation in entry["operations"]:
        step = last.get(prefix + operation["name"])
        if step is None:
            return Verdict(RunState.FAILED, f"The operation {operation['name']} never ran.")
        if step.ended_as is EndedAs.DONE:
            continue
        if step.ended_as is not EndedAs.SKIPPED and operation.get("halt_on_error", True):
            reason = _failed(operation["name"], step)
            return Verdict(RunState.FAILED, reason, warnings, operation["name"])
        warnings += 1
    return Verdict(RunState.SUCCEEDED, _warned(warnings), warnings)


def lost_with(steps: Iterable[Step], before: Mapping[str, int], now: datetime) -> list[Step]:
    """The steps that were lost with a container that has ended.

    A claim on a step, or a due step that the container has not executed once.

    Parameters
    ----------
    before : step id -> executions when the attempt before ended.
    """
    return [
        step
        for step in ready(steps)
        if step.claimed_by is not None
        or (
            step.schedule_time <= now
            and not step.waiting_for
            and step.execution_count <= before.get(str(step.id), 0)
        )
    ]


def executions(steps: Iterable[Step]) -> dict[str, int]:
    """Step id -> executions, of those that have not ended."""
    return {str(step.id): step.execution_count for step in ready(steps)}


def losses(step_id: UUID, exits: Sequence[Mapping[str, Any] | None]) -> int:
    """How many of these attempts have lost the step."""
    return sum(str(step_id) in (one or {}).get("lost", ()) for one in exits)


def _failed(operation: str, step: Step) -> str:
    how = "was cancelled" if step.ended_as is EndedAs.CANCELLED else "failed"
    headline = (step.description or "").strip().partition("\n")[0]
    return f"The operation {operation} {how}{': ' + headline if headline else '.'}"


def _warned(warnings: int) -> str | None:
    if warnings == 0:
        return None
    return f"{warnings} operation{'s' if warnings > 1 else ''} failed without halting, or skipped."
