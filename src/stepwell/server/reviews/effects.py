"""What accepting would do to schedules and runs, in sentences; and reasons to look twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from stepwell.server.reviews.cadence import more_often
from stepwell.server.reviews.changes import Category, Difference, Standing, WorkflowChanges
from stepwell.server.reviews.records import Effect, Risk
from stepwell.server.reviews.schemas import value_misfits

Row = Mapping[Any, Any]
Entry = Mapping[str, Any]


def effects(
    difference: Difference,
    entries: Mapping[str, Entry],
    schedules: Sequence[Row],
    runs: Sequence[Row],
    release: int | None,
) -> list[Effect]:
    """What accepting everything would do to what lives now.

    Parameters
    ----------
    schedules, runs : rows that are in force, and not ended, of the whole group.
    release : the number of the current release.
    """
    found: list[Effect] = []
    for changes in difference.workflows:
        if changes.standing is Standing.SAME:
            continue
        old = changes.renamed_from or changes.workflow
        mine = [row for row in schedules if row["workflow"] == old]
        found += _on_schedules(changes, mine, entries.get(changes.workflow))
        found += _on_runs(changes, [row for row in runs if row["workflow"] == old], release)
    return found


def risks(
    difference: Difference,
    before: Mapping[str, Entry],
    after: Mapping[str, Entry],
    runs: Sequence[Row],
    at: datetime,
) -> list[Risk]:
    """Reasons to look twice, by workflow; `before` and `after` are manifest entries by name."""
    found: list[Risk] = []
    busy = {row["workflow"] for row in runs}
    for changes in difference.workflows:
        old, new = before.get(changes.renamed_from or changes.workflow), after.get(changes.workflow)
        found += _contract(changes)
        found += _busy(changes, busy)
        if old and new and more_often(old["schedule"], new["schedule"], at):
            told = f"{changes.workflow} will run more often."
            found.append(Risk(code="more-often", workflow=changes.workflow, sentence=told))
    return found


def _on_schedules(
    changes: WorkflowChanges, rows: Sequence[Row], entry: Entry | None
) -> Iterator[Effect]:
    if rows:
        count = f"{len(rows)} schedule{'' if len(rows) == 1 else 's'}"
        yield _effect(
            "schedules-stop" if entry is None else "schedules-follow",
            changes,
            f"{count} of {changes.workflow} would be due no more."
            if entry is None
            else f"{count} of {changes.workflow} would start the new version; {_next_due(rows)}.",
            rows,
        )
    for row in rows if entry else ():
        yield from _one_schedule(changes, row, entry or {})


def _one_schedule(changes: WorkflowChanges, row: Row, entry: Entry) -> Iterator[Effect]:
    moved = any(change.category is Category.SCHEDULE for change in changes.changes)
    if row["origin"] == "overridden" and moved:
        told = f"The schedule {row['name']} was overridden by {row['changed_by']}, so it stays."
        yield _effect("schedule-overridden", changes, told, [row])
    reasons = value_misfits(dict(row["parameters"]), entry["parameters"])
    if reasons:
        told = f"The schedule {row['name']} gives values that will not fit: {'; '.join(reasons)}."
        yield _effect("schedule-misfit", changes, told, [row])


def _on_runs(
    changes: WorkflowChanges, rows: Sequence[Row], release: int | None
) -> Iterator[Effect]:
    if rows:
        verb = "run continues" if len(rows) == 1 else "runs continue"
        told = f"{len(rows)} {verb} on release {release}, as started."
        yield _effect("runs-continue", changes, told, rows)


def _effect(code: str, changes: WorkflowChanges, told: str, rows: Sequence[Row]) -> Effect:
    ids = [row["id"] for row in rows]
    return Effect(code=code, workflow=changes.workflow, sentence=told, ids=ids)


def _next_due(rows: Sequence[Row]) -> str:
    due = [row["next_due"] for row in rows if row["next_due"] is not None]
    return f"next due {min(due):%Y-%m-%d %H:%M} UTC" if due else "none is due"


def _contract(changes: WorkflowChanges) -> Iterator[Risk]:
    for change in changes.changes:
        if change.breaking and change.category is Category.PARAMETERS:
            yield Risk(code="contract-broken", workflow=changes.workflow, sentence=change.sentence)


def _busy(changes: WorkflowChanges, busy: set[str]) -> Iterator[Risk]:
    gone = changes.standing is Standing.REMOVED
    if gone and changes.workflow in busy:
        told = f"{changes.workflow} is gone, and has runs that have not ended."
        yield Risk(code="removed-while-running", workflow=changes.workflow, sentence=told)
