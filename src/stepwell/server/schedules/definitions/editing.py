"""Add, change and remove schedules, as people ask for it.

Each holds the schedule, settles what was due until now, changes it, writes the
audit log and wakes the tick, all in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stepwell.schedules import Schedule, from_json
from stepwell.schedules.calendars import exclusion
from stepwell.server.runs import service as runs
from stepwell.server.schedules import errors, queries
from stepwell.server.schedules.calendars import service as calendars
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.definitions.sync import DEFAULT
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import NewSchedule, Origin, ScheduleChange
from stepwell.server.services import Services


def add(conn: Connection, services: Services, new: NewSchedule, *, by: str) -> UUID:
    """Add a schedule to a workflow, beside the one from source.

    Raises
    ------
    WorkflowNotReleased, ScheduleExists, ScheduleInvalid, CalendarUnknown, ScheduleNeverDue,
    ParametersInvalid.
    """
    spec, entry = from_json(new.spec), _entry(conn, new.group, new.workflow)
    runs.check_parameters(new.workflow, entry, new.parameters)
    now = now_of(conn, services.clock)
    _expect_due(conn, spec, now)
    old = queries.named(conn, new.group, new.workflow, new.name)
    _expect_free(new, old)
    fixed: dict[str, Any] = {
        "origin": Origin.ADDED,
        "override_reason": new.reason,
        "changed_by": by,
        "parameters": new.parameters,
        "late_after": new.late_after,
        "too_long_after": new.too_long_after,
    }
    if old is None:
        of = {"group_name": new.group, "workflow": new.workflow, "name": new.name}
        schedule_id = changing.add(conn, spec, now, f"Added by {by}.", **of, **fixed)
    else:
        schedule_id = old["id"]
        cleared = dict.fromkeys(("paused_at", "pause_reason", "paused_until", "skips"))
        changing.put_in_force(conn, old, spec, now, f"Added again by {by}.", **fixed, **cleared)
    changing.told(conn, services, schedule_id, "schedule.add", new.reason, by)
    return schedule_id


def change(
    conn: Connection, services: Services, schedule_id: UUID, asked: ScheduleChange, *, by: str
) -> None:
    """Change when a schedule is due, or its parameters; one from source is overridden (R31).

    Raises
    ------
    ReasonMissing : it is from source, and no reason was given.
    ScheduleInactive, ScheduleNotFound, ScheduleCatchingUp, ScheduleInvalid, CalendarUnknown,
    ScheduleNeverDue, ParametersInvalid.
    """
    now = now_of(conn, services.clock)
    row = changing.active(changing.held(conn, changing.books_of(services), schedule_id, now))
    spec = from_json(row["spec"] if asked.spec is None else asked.spec)
    parameters = row["parameters"] if asked.parameters is None else asked.parameters
    entry = _entry(conn, row["group_name"], row["workflow"])
    runs.check_parameters(row["workflow"], entry, parameters)
    if spec.as_json() != row["spec"] or parameters != row["parameters"]:
        _expect_due(conn, spec, now)
        values = {"parameters": parameters, "changed_by": by, **_origin(row, asked.reason)}
        changing.put_in_force(conn, row, spec, now, f"Changed by {by}.", **values)
    queries.change(conn, schedule_id, changed_by=by, **_limits(asked))
    changing.told(conn, services, schedule_id, "schedule.change", asked.reason, by, before=row)


def end_override(
    conn: Connection, services: Services, schedule_id: UUID, reason: str | None, *, by: str
) -> None:
    """What the source says is in force again.

    Raises
    ------
    ScheduleNotOverridden, ScheduleNotFound, ScheduleInactive, ScheduleCatchingUp.
    """
    now = now_of(conn, services.clock)
    row = changing.active(changing.held(conn, changing.books_of(services), schedule_id, now))
    if row["origin"] != Origin.OVERRIDDEN:
        raise errors.ScheduleNotOverridden(
            f"The schedule {row['name']!r} of {row['workflow']!r} is not overridden.",
            fix="Nothing is to be done.",
        )
    source = _entry(conn, row["group_name"], row["workflow"]).get("schedule")
    fixed: dict[str, Any] = {
        "origin": Origin.SOURCE,
        "override_reason": None,
        "changed_by": by,
        "parameters": {},
    }
    why = f"The override was ended by {by}."
    if source is None:
        changing.put_out_of_force(conn, row, now, why, **fixed)
    else:
        changing.put_in_force(conn, row, from_json(source), now, why, **fixed)
    changing.told(conn, services, schedule_id, "schedule.end-override", reason, by, before=row)


def remove(
    conn: Connection, services: Services, schedule_id: UUID, reason: str | None, *, by: str
) -> None:
    """Take away a schedule that people have added; its ledger stays.

    Raises
    ------
    ScheduleFromSource, ScheduleNotFound, ScheduleCatchingUp.
    """
    now = now_of(conn, services.clock)
    row = changing.held(conn, changing.books_of(services), schedule_id, now)
    if row["origin"] != Origin.ADDED:
        raise errors.ScheduleFromSource(
            f"The schedule {row['name']!r} of {row['workflow']!r} is declared in the source.",
            why="Source code is where it is changed.",
            fix="Pause it, or take it out of the source and approve the release.",
        )
    changing.put_out_of_force(conn, row, now, f"Removed by {by}.", origin=Origin.REMOVED)
    changing.told(conn, services, schedule_id, "schedule.remove", reason, by, row, gone=True)


def _entry(conn: Connection, group: str, workflow: str) -> dict[str, Any]:
    entry = queries.entry_in_force(conn, group, workflow)
    if entry is None:
        raise runs.WorkflowNotReleased(
            f"The group {group!r} has no released workflow {workflow!r}.",
            fix="Correct the name, or approve the workflow: `stepwell groups review`.",
        )
    return entry


def _limits(asked: ScheduleChange) -> dict[str, Any]:
    """The limits that were named; null takes one away."""
    return asked.model_dump(include={"late_after", "too_long_after"}, exclude_unset=True)


def _expect_due(conn: Connection, spec: Schedule, now: datetime) -> None:
    exclusion(spec, calendars.known(conn, spec.exclude))
    if spec.next_after(now) is None:
        raise errors.ScheduleNeverDue(
            f"This is never due from now on: {spec.describe()}.",
            fix="Choose a later instant or end.",
        )


def _expect_free(new: NewSchedule, old: Row | None) -> None:
    if new.name == DEFAULT or (old is not None and old["origin"] != Origin.REMOVED):
        raise errors.ScheduleExists(
            f"The workflow {new.workflow!r} cannot have another schedule {new.name!r}.",
            why="That name is the source's." if new.name == DEFAULT else "There is one.",
            fix="Choose another name, or change the one that is there.",
        )


def _origin(row: Row, reason: str | None) -> dict[str, Any]:
    if row["origin"] == Origin.ADDED:
        return {}
    if not reason:
        raise errors.ReasonMissing(
            f"The schedule of {row['workflow']!r} comes from the source; a change overrides it.",
            why="A later release will ask about the difference.",
            fix="Say why: give a reason.",
        )
    return {"origin": Origin.OVERRIDDEN, "override_reason": reason}
