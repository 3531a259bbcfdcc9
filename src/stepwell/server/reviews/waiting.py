"""What accepting would do to steps that have not ended: whose handler goes, whose state misfits.

Steps of runs are executed by the image that their run was started with (R37), so
they finish; steps that belong to no run in flight would find nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stepwell.server.reviews.changes import WorkflowChanges
from stepwell.server.reviews.live import Live, Waiting
from stepwell.server.reviews.misfits import of_parameters
from stepwell.server.reviews.records import Effect, Sample

Entry = Mapping[str, Any]

_IDS: Final = 50
_SAMPLES: Final = 5


def on_steps(changes: WorkflowChanges, live: Live, entry: Entry | None) -> Iterator[Effect]:
    """Effects on the waiting steps of one workflow; `entry` None: it is gone."""
    operations = () if entry is None else entry.get("operations", ())
    names = {one["name"] for one in operations} if changes.renamed_from is None else set()
    gone = [step for step in live.steps if step.operation not in names]
    releases = {row["id"]: row["release"] for row in live.runs}
    yield from _lost(changes, [step for step in gone if step.run_id not in releases])
    yield from _finishing(changes, [step for step in gone if step.run_id in releases], releases)
    if entry is not None:
        yield from _misfitting(changes, live.steps, entry)


def _lost(changes: WorkflowChanges, steps: Sequence[Waiting]) -> Iterator[Effect]:
    if steps:
        verb = "loses its handler" if len(steps) == 1 else "lose their handler"
        told = (
            f"{_named(steps)} {verb}: no run in flight holds "
            f"{'it' if len(steps) == 1 else 'them'}, and the new version has no such operation."
        )
        yield _effect("steps-lose-handler", changes, told, steps)


def _finishing(
    changes: WorkflowChanges, steps: Sequence[Waiting], releases: Mapping[Any, int]
) -> Iterator[Effect]:
    for number in sorted({releases[step.run_id] for step in steps}):
        mine = [step for step in steps if releases[step.run_id] == number]
        verb = "is" if len(mine) == 1 else "are"
        told = (
            f"{_named(mine)} {verb} not in the new version, and "
            f"{'runs' if len(mine) == 1 else 'run'} to the end on release {number}."
        )
        yield _effect("steps-finish", changes, told, mine)


def _misfitting(
    changes: WorkflowChanges, steps: Sequence[Waiting], entry: Entry
) -> Iterator[Effect]:
    """State that waits and would be refused by the new version."""
    found: list[tuple[Waiting, list[Sample]]] = []
    for step in steps:
        where = f"step {step.id} ({step.operation})"
        sample = of_parameters(step.parameters, entry.get("parameters"), where)
        found += [(step, sample)] if sample else []
    if found:
        sample = [one for _, some in found for one in some][:_SAMPLES]
        verb = "holds" if len(found) == 1 else "hold"
        told = (
            f"The state of {_named([step for step, _ in found])} {verb} values that no longer fit: "
            f"{sample[0].reason}. It can finish as started, and cannot be repeated."
        )
        made = _effect("states-misfit", changes, told, [step for step, _ in found])
        yield made.model_copy(update={"sample": sample})


def _named(steps: Sequence[Waiting]) -> str:
    """`2 waiting steps (load 1, report 1)`."""
    counts = Counter(step.operation for step in steps)
    each = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    only = next(iter(counts)) if len(counts) == 1 else each
    return f"{len(steps)} waiting step{'' if len(steps) == 1 else 's'} ({only})"


def _effect(code: str, changes: WorkflowChanges, told: str, steps: Sequence[Waiting]) -> Effect:
    ids = [step.id for step in steps[:_IDS]]
    return Effect(code=code, workflow=changes.workflow, sentence=told, count=len(steps), ids=ids)
