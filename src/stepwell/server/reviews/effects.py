"""What accepting would do to what lives: schedules, runs, waiting steps; in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stepwell.server.reviews.changes import Category, Difference, Standing, WorkflowChanges
from stepwell.server.reviews.fires import next_fires
from stepwell.server.reviews.live import Live
from stepwell.server.reviews.misfits import of_parameters
from stepwell.server.reviews.records import Effect
from stepwell.server.reviews.waiting import on_steps

Row = Mapping[Any, Any]
Entry = Mapping[str, Any]

IDS: Final = 50
"""So many ids are listed."""


def effects(
    difference: Difference, entries: Mapping[str, Entry], live: Live, now: datetime
) -> list[Effect]:
    """What accepting everything would do to what lives now.

    Parameters
    ----------
    entries : the manifest entries that are offered, by workflow.
    live : what lives in the whole group.
    """
    found: list[Effect] = []
    for changes in difference.workflows:
        if changes.standing is Standing.SAME:
            continue
        mine = live.of(changes.renamed_from or changes.workflow)
        entry = entries.get(changes.workflow)
        found += _on_schedules(changes, mine.schedules, entry, now)
        found += _on_runs(changes, mine.runs)
        found += on_steps(changes, mine, entry)
    return found


def _on_schedules(
    changes: WorkflowChanges, rows: Sequence[Row], entry: Entry | None, now: datetime
) -> Iterator[Effect]:
    if rows:
        count = counted(len(rows), "schedule")
        verb = "moves" if len(rows) == 1 else "move"
        yield effect(
            "schedules-stop" if entry is None else "schedules-follow",
            changes,
            f"{count} of {changes.workflow} would be due no more."
            if entry is None
            else f"{count} of {changes.workflow} {verb} to the new version.",
            rows,
        )
    if entry is None:
        return
    yield from next_fires(changes, rows, entry, now)
    for row in rows:
        yield from _one_schedule(changes, row, entry)


def _one_schedule(changes: WorkflowChanges, row: Row, entry: Entry) -> Iterator[Effect]:
    moved = any(change.category is Category.SCHEDULE for change in changes.changes)
    if row["origin"] == "overridden" and moved:
        told = f"The schedule {row['name']} was overridden by {row['changed_by']}, so it stays."
        yield effect("schedule-overridden", changes, told, [row])
    where = f"schedule {row['name']}"
    sample = of_parameters(row["parameters"], entry.get("parameters"), where)
    if sample:
        reasons = "; ".join(one.reason for one in sample)
        told = f"The schedule {row['name']} gives values that will not fit: {reasons}."
        made = effect("schedule-misfit", changes, told, [row])
        yield made.model_copy(update={"sample": sample})


def _on_runs(changes: WorkflowChanges, rows: Sequence[Row]) -> Iterator[Effect]:
    """Each run ends on the release that it was started with (R37)."""
    for number, count in sorted(Counter(row["release"] for row in rows).items()):
        verb = "run continues" if count == 1 else "runs continue"
        told = f"{count} {verb} on release {number}, as started."
        mine = [row for row in rows if row["release"] == number]
        yield effect("runs-continue", changes, told, mine)


def effect(code: str, changes: WorkflowChanges, told: str, rows: Sequence[Row]) -> Effect:
    """An effect on rows; the first ids of them are listed."""
    ids = [row["id"] for row in rows[:IDS]]
    return Effect(code=code, workflow=changes.workflow, sentence=told, count=len(rows), ids=ids)


def counted(number: int, noun: str) -> str:
    """`1 schedule`, `2 schedules`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
