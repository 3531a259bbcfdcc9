"""Operations that wait for a reviewer: who waits, and what the reviewer says.

What an operation waits for stands in its row's state (`course` or the operation itself
puts it there), and the answer is an activation of that row (R8). The row is due when
patience ends, so while it waits no container runs (R33), and no timer is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import Conflict
from stepwell.events import emit
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.notifications import service as notifications
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.runs import course, measuring, queries
from stepwell.server.runs.judgement import operation_of, step_name
from stepwell.server.runs.records import RunState, Waiting, WaitingCode
from stepwell.server.runs.waking import activate_supervisor
from stepwell.step import EndedAs, Step, StepQuery, StepStatus, new_step
from stepwell.stores.protocol import Transaction

OPERATIONS: Final = "runs"
"""The queue of operations; claimed only by flow (R36)."""


class NothingToApprove(Conflict):
    """No operation of the run waits for a reviewer."""

    code = "nothing-to-approve"


class Answer(StrEnum):
    """What a reviewer says."""

    APPROVE = "approve"
    REJECT = "reject"


class Approval(BaseModel):
    """A reviewer's answer to the operation that waits; a rejection needs a reason."""

    model_config = ConfigDict(extra="forbid")

    decision: Answer
    operation: str | None = None
    reason: str | None = Field(default=None, max_length=1000)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operation's row waits for. `goes_on`: without an answer it runs all the same."""

    step: Step
    message: str
    asked_at: datetime
    until: datetime
    goes_on: bool

    @property
    def waiting(self) -> Waiting:
        """The same as what is shown."""
        then = "then goes on without" if self.goes_on else "then fails"
        said = f" ({self.message})" if self.message else ""
        return Waiting(
            code=WaitingCode.APPROVAL,
            sentence=f"{operation_of(self.step)} waits for approval{said} until "
            f"{self.until:%Y-%m-%d %H:%M:%S}Z, {then}.",
            since=self.asked_at,
            until=self.until,
            details={"operation": operation_of(self.step), "message": self.message},
        )


def asked(step: Step) -> Asked | None:
    """What a row waits for a reviewer for; None for any other, and when it was answered."""
    if step.status is not StepStatus.READY or step.activation_args is not None:
        return None
    if '"approval"' not in (step.state or ""):
        return None
    state = JSON.decode(step.state or "null")
    found = state.get("approval") if isinstance(state, dict) else None
    if not found:
        return None
    return Asked(
        step,
        found.get("message") or "",
        datetime.fromisoformat(found["asked_at"]),
        datetime.fromisoformat(found["until"]),
        found.get("on_timeout") == "go on",
    )


def tell(conn: Connection, tx: Transaction, run: RowMapping, waiting: Waiting) -> None:
    """Let people know that a run waits: each by itself, for each needs an answer. Who tries a
    workflow knows it.
    """
    if not measuring.is_measured(run):
        return
    until = waiting.model_dump(mode="json")["until"]
    occasion = Occasion(
        kind=Kind.APPROVAL_WAITING,
        group=run["group_name"],
        workflow=run["workflow"],
        run_id=run["id"],
        sentence=f"{run['group_name']}/{run['workflow']}: {waiting.sentence}",
        fingerprint=f"{run['id']}/{waiting.details['operation']}",
        details={**waiting.details, "until": until},
        labels=run["labels"] or {},
    )
    notifications.occur(conn, tx, occasion)


def decide(conn: Connection, db: Database, run: RowMapping, given: Approval, *, by: str) -> None:
    """Let the operation that waits go on, or fail it, in the caller's transaction.

    Parameters
    ----------
    run : the header, locked.

    Raises
    ------
    NothingToApprove : nothing waits, not any more, or not under that name.
    """
    tx = db.steps(conn)
    found = _waiting(tx, run, given.operation)
    if given.decision is Answer.APPROVE:
        answer = {"decision": "approved", "by": by, "reason": given.reason}
        args = {"approval": {**answer, "at": clock.now().isoformat()}}
        tx.activate(found.step.id, JSON.encode(args), None)
    else:
        end_unapproved(
            conn, tx, run, found.step, f"Rejected by {by}: {given.reason or 'no reason'}."
        )
    activate_supervisor(tx, run["id"])
    operation = operation_of(found.step)
    details = {"operation": operation, "message": found.message}
    told: audit.Sides = {
        "before": {"answer": None, "until": found.until},
        "after": {"answer": given.decision},
    }
    audit.record(conn, by, f"run.{given.decision}", str(run["id"]), given.reason, details, **told)
    emit("run.answered", run=run["id"], operation=operation, decision=given.decision, by=by)


def end_unapproved(
    conn: Connection, tx: Transaction, run: RowMapping, step: Step, reason: str
) -> None:
    """Fail an operation that nobody approved; where it does not halt the run, the next follows."""
    tx.end(step.id, EndedAs.FAILED, reason)
    entry = queries.entry(conn, run)
    names = [one["name"] for one in entry["operations"]]
    place = names.index(operation_of(step))
    if entry["operations"][place].get("halt_on_error", True) or place + 1 == len(names):
        return
    pinned, now = run["course"], clock.now()
    name = course.after(names, (pinned or {}).get("left_out", ()), names[place + 1])
    if name is not None:
        state = {
            key: one for key, one in JSON.decode(step.state or "{}").items() if key != "approval"
        }
        tx.add([seal(operation_step(run, name, state, now), JSON, now, step)])


def operation_step(run: Any, operation: str, state: Any, now: datetime) -> Any:
    """The row of an operation of a run, which waits where its course has a gate."""
    value, due = course.gated(run["course"], operation, state, now)
    return new_step(
        step_name(run["group_name"], run["workflow"], operation),
        value,
        queue=OPERATIONS,
        flow_id=run["id"],
        correlation_id=str(run["id"]),
        schedule_time=due,
        description=None if due == now else f"Waits for approval until {due:%Y-%m-%d %H:%M:%S}Z.",
    )


def _waiting(tx: Transaction, run: RowMapping, operation: str | None) -> Asked:
    if run["state"] not in (RunState.CANCELLING, RunState.SUCCEEDED, RunState.FAILED):
        query = StepQuery(flow_id=run["id"], status=StepStatus.READY, limit=100)
        for step in tx.search(query):
            found = asked(step)
            fits = found is not None and operation in (None, operation_of(step))
            if found is not None and fits and (found.goes_on or clock.now() < found.until):
                return found
    raise NothingToApprove(
        f"No operation of the run {run['id']} waits for approval"
        f"{'.' if operation is None else f' under the name {operation!r}.'}",
        why="It was answered, has run out of patience, or the run has ended.",
        fix="See `stepwell runs show`.",
    )
