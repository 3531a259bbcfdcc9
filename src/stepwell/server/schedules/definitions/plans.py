"""The schedules of a group as somebody wants them: which workflows, when, with what (R31).

A plan is applied in one transaction, by the same verbs as single changes: so what comes
from the source is overridden with a reason, and a later release asks about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection

from stepwell.schedules import from_json
from stepwell.server.groups import service as groups
from stepwell.server.schedules import errors, queries
from stepwell.server.schedules.definitions import editing, holding
from stepwell.server.schedules.definitions.plan_records import Others, Plan, PlanChange, Planned
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import NewSchedule, Origin, ScheduleChange
from stepwell.server.services import Services


def apply(
    conn: Connection, services: Services, group: str, plan: Plan, *, by: str
) -> list[PlanChange]:
    """Bring a group's schedules in line with a plan; what is so already is left alone.

    Raises
    ------
    GroupNotFound, GroupArchived, PlanAmbiguous, WorkflowNotReleased, ReasonMissing,
    ScheduleInvalid, ScheduleNeverDue, ParametersInvalid, ScheduleCatchingUp.
    """
    groups.active(conn, group)
    _expect_once_each(plan)
    changes = [
        change
        for one in plan.schedules
        for change in _applied(conn, services, group, plan, one, by)
    ]
    if plan.others is Others.PAUSE:
        changes += _pause_others(conn, services, group, plan, by)
    return changes


def _expect_once_each(plan: Plan) -> None:
    seen: set[tuple[str, str]] = set()
    for one in plan.schedules:
        if (one.workflow, one.name) in seen:
            raise errors.PlanAmbiguous(
                f"The schedule {one.name!r} of {one.workflow!r} is there twice.",
                fix="Give each a name of its own, or take one out.",
            )
        seen.add((one.workflow, one.name))


def _applied(
    conn: Connection, services: Services, group: str, plan: Plan, one: Planned, by: str
) -> Iterator[PlanChange]:
    row = queries.named(conn, group, one.workflow, one.name)
    if row is None or row["origin"] == Origin.REMOVED:
        row = _added(conn, services, group, plan, one, by)
        yield _change(row, "added")
    elif (asked := _difference(row, one)) is not None:
        asked = asked.model_copy(update={"reason": plan.reason})
        editing.change(conn, services, row["id"], asked, by=by)
        yield _change(row, "changed")
    if one.paused and row["paused_at"] is None:
        holding.pause(conn, services, row["id"], plan.reason, by=by)
        yield _change(row, "paused")
    elif not one.paused and row["paused_at"] is not None:
        holding.resume(conn, services, row["id"], plan.reason, by=by)
        yield _change(row, "resumed")


def _added(
    conn: Connection, services: Services, group: str, plan: Plan, one: Planned, by: str
) -> Row:
    if one.spec is None:
        raise errors.PlanIncomplete(
            f"The schedule {one.name!r} of {one.workflow!r} is new, and it does not say when.",
            fix="Give its spec.",
        )
    given = one.model_dump(exclude={"paused", "parameters"})
    new = NewSchedule(group=group, parameters=one.parameters or {}, reason=plan.reason, **given)
    return _row(conn, editing.add(conn, services, new, by=by))


def _difference(row: Row, one: Planned) -> ScheduleChange | None:
    """What of a schedule is to be changed; None if it is so already."""
    wanted = one.model_dump(include={"parameters", "late_after", "too_long_after"})
    if one.spec is not None:
        wanted["spec"] = from_json(one.spec).as_json()
    given = {name for name in wanted if name in one.model_fields_set and wanted[name] is not None}
    changed = {name: wanted[name] for name in given if wanted[name] != row[name]}
    return ScheduleChange(**changed) if changed else None


def _pause_others(
    conn: Connection, services: Services, group: str, plan: Plan, by: str
) -> Iterator[PlanChange]:
    wanted = {(one.workflow, one.name) for one in plan.schedules}
    reason = plan.reason or "It is not in the plan of its group."
    for row in queries.lock_of_group(conn, group):
        here = (row["workflow"], row["name"]) in wanted
        if not here and row["active"] and row["paused_at"] is None:
            holding.pause(conn, services, row["id"], reason, by=by)
            yield _change(row, "paused")


def _row(conn: Connection, schedule_id: UUID) -> Row:
    row = queries.get(conn, schedule_id)
    assert row is not None, "it was just added"
    return row


def _change(row: Row, verb: str) -> PlanChange:
    return PlanChange(schedule_id=row["id"], workflow=row["workflow"], name=row["name"], verb=verb)
