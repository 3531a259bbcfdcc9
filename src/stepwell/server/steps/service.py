"""Look up and operate steps; each act is in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.codec import as_written
from stepwell.engine import StepClient
from stepwell.engine.lineage import Lineage, lineage
from stepwell.errors import Denied
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.paging import Page, Paging
from stepwell.server.runs import service as runs
from stepwell.server.steps.records import (
    Activation,
    Ending,
    Rescheduling,
    StepBrief,
    StepCounts,
    StepDetail,
    StepFailures,
)
from stepwell.step import EndedAs, Step, StepQuery

STEPS: Final = ("steps-done", "steps-failed")
"""The kinds under which retention knows ended steps."""


class StepProtected(Denied):
    """The server cannot do without this step (R29)."""

    code = "step-protected"


def search(conn: Connection, db: Database, query: StepQuery, pages: Paging) -> Page[StepBrief]:
    """One page of the steps that match, newest first unless the query says otherwise."""
    after = pages.after_id()
    found = db.client(conn).search(replace(query, after=after, limit=pages.limit + 1))
    return pages.of_steps(found, StepBrief.model_validate)


def count(conn: Connection, db: Database, query: StepQuery, at_most: int | None) -> StepCounts:
    """How many steps match, per table; none is counted further than `at_most`."""
    found = db.client(conn).count(query, at_most=at_most)
    return StepCounts(
        ready=found.ready,
        done=found.done,
        failed=found.failed,
        more=list(found.more),
        estimated=list(found.estimated),
    )


def failures(conn: Connection, db: Database, query: StepQuery) -> list[StepFailures]:
    """The failed steps that match, grouped by name and fingerprint, newest failure first."""
    return [StepFailures.model_validate(one) for one in db.client(conn).failures(query)]


def get(conn: Connection, db: Database, step_id: UUID) -> StepDetail:
    """One step with all that is known of it; raises `StepNotFound`."""
    steps = db.client(conn)
    return _detail(steps, steps.get(step_id))


def around(conn: Connection, db: Database, step_id: UUID, limit: int) -> Lineage:
    """The graph around a step, at most `limit` nodes; raises `StepNotFound`."""
    return lineage(db.client(conn), step_id, limit)


def activate(
    conn: Connection, db: Database, step_id: UUID, asked: Activation, *, by: str
) -> StepDetail:
    """Make a ready step due; raises `StepNotFound`, `StepEnded`, `StepProtected`."""

    def act(steps: StepClient) -> None:
        _check_approved(db, steps.get(step_id))
        steps.activate(step_id, asked.args, at=asked.at)

    return _acted(conn, db, step_id, act, "step.activate", asked.reason, by)


def reschedule(
    conn: Connection, db: Database, step_id: UUID, asked: Rescheduling, *, by: str
) -> StepDetail:
    """Make a ready step due at another time; raises `StepNotFound`, `StepEnded`."""

    def act(steps: StepClient) -> None:
        _check_approved(db, steps.get(step_id))
        steps.reschedule(step_id, asked.at)

    return _acted(conn, db, step_id, act, "step.reschedule", asked.reason, by)


def end(conn: Connection, db: Database, step_id: UUID, asked: Ending, *, by: str) -> StepDetail:
    """End a ready step by hand; raises `StepNotFound`, `StepEnded`, `StepProtected`."""

    def act(steps: StepClient) -> None:
        _check_endable(db, steps.get(step_id))
        match asked.ended_as:
            case EndedAs.FAILED:
                steps.fail(step_id, asked.reason)
            case EndedAs.DONE | EndedAs.SKIPPED:
                steps.complete(step_id, asked.reason, asked.result)
            case EndedAs.CANCELLED:
                steps.cancel(step_id, asked.reason)

    return _acted(conn, db, step_id, act, "step.end", asked.reason, by)


def reexecute(
    conn: Connection, db: Database, step_id: UUID, reason: str | None, *, by: str
) -> StepDetail:
    """Add a copy of an ended step, due now (R7); raises `StepNotFound`, `StepNotEnded`."""
    steps = db.client(conn)
    _check_endable(db, steps.get(step_id))
    copy = steps.reexecute([step_id])[0]
    audit.record(conn, by, "step.re-execute", str(step_id), reason, {"copy": str(copy)})
    return get(conn, db, copy)


def _acted(
    conn: Connection,
    db: Database,
    step_id: UUID,
    act: Callable[[StepClient], None],
    action: str,
    reason: str | None,
    by: str,
) -> StepDetail:
    steps = db.client(conn)
    before = steps.get(step_id)
    act(steps)
    found = steps.get(step_id)
    if found.queue == runs.OPERATIONS and not db.bare:
        runs.activate_supervisor(db.steps(conn), found.flow_id)
    told = {"before": _told(before), "after": _told(found)}
    audit.record(conn, by, action, str(step_id), reason, {"name": found.name}, **told)
    return _detail(steps, found)


def _told(step: Step) -> dict[str, Any]:
    """What an operator may change of a step."""
    names = ("status", "ended_as", "schedule_time", "activation_no")
    return {name: getattr(step, name) for name in names}


def _check_approved(db: Database, step: Step) -> None:
    """What waits for a reviewer is woken by the reviewer alone."""
    if db.bare:
        return
    if step.queue == runs.OPERATIONS and runs.asked_of(step) is not None:
        raise StepProtected(
            f"The step {step.name!r} waits for approval.",
            why="Only a reviewer's answer wakes it.",
            fix=f"Let a reviewer answer: `stepwell runs approve {step.flow_id}`.",
        )


def _check_endable(db: Database, step: Step) -> None:
    """A run's operations and the server's own singletons have verbs of their own."""
    if db.bare:
        return
    own = step.queue == "server" and step.unique_key is not None
    if own or step.queue == "runs":
        raise StepProtected(
            f"The step {step.name!r} cannot be ended or copied by hand.",
            why="It belongs to the server's own work." if own else "It belongs to a run.",
            fix="Cancel, repeat or pause what it works for: the run, schedule or discovery.",
        )


def _detail(steps: StepClient, step: Step) -> StepDetail:
    brief = StepBrief.model_validate(step).model_dump()
    more = {name: getattr(step, name) for name in _MORE}
    texts = {
        "state": as_written(step.state, step.state_format),
        "activation_args": as_written(step.activation_args, step.state_format),
        "result": as_written(step.result, step.result_format),
    }
    return StepDetail(**brief, **more, **texts, explanation=steps.explained(step))


_MORE = (
    "created_by_step_id",
    "copy_of",
    "fingerprint",
    "retention",
    "join_id",
    "join_policy",
    "waiting_for",
    "limit_key",
    "limit_slots",
    "rate_key",
    "activation_no",
    "claimed_at",
    "parked",
    "state_format",
    "result_format",
)
