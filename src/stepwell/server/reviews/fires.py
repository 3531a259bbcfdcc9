"""When schedules are due after a release, in sentences with their zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from stepwell.errors import StepwellError
from stepwell.schedules import Cron, Schedule, from_json
from stepwell.server.reviews.changes import WorkflowChanges
from stepwell.server.reviews.records import Effect

Row = Mapping[Any, Any]
Entry = Mapping[str, Any]


def next_fires(
    changes: WorkflowChanges, rows: Sequence[Row], entry: Entry, now: datetime
) -> Iterator[Effect]:
    """What each schedule of a workflow does next, once the new version is in force (R31)."""
    source = entry.get("schedule")
    for row in rows:
        if row["origin"] == "source":
            yield from _of_source(changes, row, source, now)
        else:
            due = row["next_due"]
            yield _next(changes, row["name"], _read(row["spec"]), due, row)
    if source is not None and not any(row["name"] == "default" for row in rows):
        spec = _read(source)
        due = None if spec is None else spec.next_after(now)
        yield _next(changes, "default", spec, due, None)


def _of_source(changes: WorkflowChanges, row: Row, source: Any, now: datetime) -> Iterator[Effect]:
    if source is None:
        told = f"The schedule {row['name']} is due no more: the source declares none."
        name, ids = changes.workflow, [row["id"]]
        yield Effect(code="schedules-stop", workflow=name, sentence=told, count=1, ids=ids)
        return
    spec = _read(source)
    same = spec is not None and spec.as_json() == row["spec"]
    due = row["next_due"] if same else None if spec is None else spec.next_after(now)
    yield _next(changes, row["name"], spec, due, row)


def _next(
    changes: WorkflowChanges,
    name: str,
    spec: Schedule | None,
    due: datetime | None,
    row: Row | None,
) -> Effect:
    if spec is None:
        told = f"When the schedule {name} is due is unavailable: it cannot be computed."
    elif due is None:
        told = f"The schedule {name} is not due any more."
    elif row is not None and row["paused_at"] is not None:
        told = f"The schedule {name} is paused; its next instant is {at(due, spec)}."
    else:
        new = "" if row is not None else "new: it "
        told = f"The schedule {name} is {new}{'is ' if new else ''}next due {at(due, spec)}."
    return Effect(
        code="schedule-next",
        workflow=changes.workflow,
        sentence=told,
        count=1,
        ids=[] if row is None else [row["id"]],
        fires=[] if due is None else [due],
    )


def at(due: datetime, spec: Schedule) -> str:
    """An instant by the clock of the schedule's zone: Fri 27 Nov 2026 02:00 Europe/Oslo."""
    zone = spec.timezone if isinstance(spec, Cron) else "UTC"
    local = due.astimezone(ZoneInfo(zone))
    seconds = f"{local:%S}"
    return f"{local:%a %-d %b %Y %H:%M}{'' if seconds == '00' else ':' + seconds} {zone}"


def _read(spec: Any) -> Schedule | None:
    try:
        return from_json(spec)
    except StepwellError:
        return None
