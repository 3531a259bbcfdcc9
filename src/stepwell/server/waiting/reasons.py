"""The checks, in the order in which a reader wants to hear of them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from stepwell.server.runs.records import RunState, WaitingCode
from stepwell.server.waiting import conditions, holding
from stepwell.server.waiting.evidence import Evidence
from stepwell.server.waiting.records import Action, Blocking, Code, Reason
from stepwell.server.words import capitalised, first_line, instant, span
from stepwell.step import EndedAs, Step

LATE: Final = timedelta(seconds=5)
"""What is due for longer and was not taken, waits for an engine."""


def reasons(evidence: Evidence) -> list[Reason]:
    """Every reason that holds, in order."""
    found = [check(evidence) for check in CHECKS]
    return [one for one in found if one is not None]


def not_due(evidence: Evidence) -> Reason | None:
    """Its first execution is in the future."""
    step = evidence.step
    if step is None or not _later(evidence, step) or step.execution_count:
        return None
    at = step.schedule_time
    return Reason(
        code=Code.NOT_DUE,
        sentence=f"Starts {instant(at)}, in {span(at - evidence.now)}.",
        since=step.created_at,
        changes=f"at {instant(at)}",
        changes_at=at,
        blocking=_step(step, evidence.operation),
        actions=[_now(step)],
    )


def depends_on(evidence: Evidence) -> Reason | None:
    """Others have to end first: steps that it joins, or the operations before it."""
    if evidence.joined is not None and evidence.step is not None:
        return Reason(
            code=Code.DEPENDS_ON,
            sentence=evidence.joined,
            since=evidence.step.created_at,
            changes="when all of them have ended",
            blocking=_step(evidence.step, evidence.operation),
        )
    if not evidence.ahead:
        return None
    name, row = evidence.ahead[0]
    words = " and ".join(f"*{one}* ({_doing(step)})" for one, step in evidence.ahead[:3])
    more = f" and {len(evidence.ahead) - 3} more" if len(evidence.ahead) > 3 else ""
    return Reason(
        code=Code.DEPENDS_ON,
        sentence=f"Waits for {words}{more}.",
        since=evidence.run["created_at"],
        changes="when they have ended",
        blocking=_step(row, name) if row is not None else None,
    )


def _doing(step: Step | None) -> str:
    if step is None:
        return "not begun"
    if step.ended_as is EndedAs.FAILED:
        return "failed: will never finish"
    if step.ended_as is not None:
        return str(step.ended_as)
    return "running" if step.claimed_by is not None else "waiting"


def asleep(evidence: Evidence) -> Reason | None:
    """It ran, and runs again later: by its own wish, or after a failure."""
    step = evidence.step
    if step is None or not _later(evidence, step) or not step.execution_count:
        return None
    left = span(step.schedule_time - evidence.now)
    failed = step.failure_count > 0
    of = f" of {evidence.retries + 1}" if evidence.retries else ""
    return Reason(
        code=Code.RETRY_AT if failed else Code.SLEEPING,
        sentence=(
            f"Attempt {step.failure_count + 1}{of} in {left}; "
            f"last error: {first_line(step.description)}."
            if failed
            else f"Sleeps until {instant(step.schedule_time)}, {left} more."
        ),
        since=step.execution_started_at,
        changes=f"at {instant(step.schedule_time)}",
        changes_at=step.schedule_time,
        blocking=_step(step, evidence.operation),
        actions=[_now(step, "retry now"), _stop(evidence)]
        if failed
        else [_now(step, "wake it now")],
    )


def approval(evidence: Evidence) -> Reason | None:
    """A reviewer is asked."""
    waiting = evidence.waiting
    if waiting is None or waiting.code is not WaitingCode.APPROVAL:
        return None
    run_id = evidence.run["id"]
    return Reason(
        code=Code.APPROVAL,
        sentence=capitalised(waiting.sentence),
        since=waiting.since,
        changes="when a reviewer approves or rejects",
        changes_at=waiting.until,
        blocking=_step(evidence.step, evidence.operation),
        actions=[
            Action(
                label=answer,
                command=f"stepwell runs {answer} {run_id}",
                method="POST",
                path=f"/runs/{run_id}/approvals",
                body={"decision": answer},
            )
            for answer in ("approve", "reject")
        ],
    )


def no_runner(evidence: Evidence) -> Reason | None:
    """Nobody is there to launch it, or what would launch it cannot."""
    if not evidence.due:
        return None
    if not evidence.engines:
        return _nobody(evidence)
    if not evidence.trouble:
        return None
    attempt = evidence.attempt
    supervisor = evidence.supervisor
    again = None if supervisor is None else supervisor.schedule_time
    return Reason(
        code=Code.NO_RUNNER,
        sentence=f"Its container cannot be started: {first_line(evidence.trouble)}.",
        since=None if attempt is None else attempt["queued_at"],
        changes="it is tried again every few seconds",
        changes_at=again,
        blocking=_group(evidence),
        actions=[_doctor("see what is wrong")],
    )


def _nobody(evidence: Evidence) -> Reason:
    since = evidence.supervisor.schedule_time if evidence.supervisor else None
    when = "" if since is None else f" since {since:%H:%M}"
    return Reason(
        code=Code.NO_RUNNER,
        sentence=f"No engine of the server took work{when}: none is running.",
        since=since,
        changes="when an engine starts",
        actions=[Action(label="start one", command="stepwell work"), _doctor("see what is wrong")],
    )


def cluster(evidence: Evidence) -> Reason | None:
    """The launcher has started it, and says what holds it up."""
    if evidence.condition is None:
        return None
    run = evidence.run
    return conditions.reason(evidence.condition, str(run["id"]), run["group_name"], evidence.now)


def starting(evidence: Evidence) -> Reason | None:
    """Its container has been launched, and has not asked for work yet."""
    attempt = evidence.attempt
    if attempt is None or attempt["finished_at"] or attempt["started_at"] or evidence.condition:
        return None
    if attempt["launched_at"] is None:
        if evidence.trouble:
            return None
        said, since = "Its container is being started", attempt["queued_at"]
    else:
        said, since = "Its container was started and has not begun", attempt["launched_at"]
    return Reason(
        code=Code.STARTING,
        sentence=f"{said}, {span(evidence.now - since)} so far.",
        since=since,
        changes="when it asks for its first operation",
    )


def lost(evidence: Evidence) -> Reason | None:
    """Its container has gone, or does not come for what is due."""
    attempt, step = evidence.attempt, evidence.step
    if attempt is None or not evidence.due or step is None:
        return None
    at = evidence.supervisor.schedule_time if evidence.supervisor else None
    if attempt["finished_at"] is not None:
        ago = span(evidence.now - attempt["finished_at"])
        why = first_line((attempt["exit"] or {}).get("reason"), "it ended")
        return Reason(
            code=Code.LOST,
            sentence=f"Its container ended {ago} ago without it ({why}); "
            f"attempt {attempt['number'] + 1} starts next.",
            since=attempt["finished_at"],
            changes="when the next attempt is launched",
            changes_at=at,
        )
    idle = evidence.now - step.schedule_time
    if attempt["started_at"] is None or step.claimed_by is not None or idle < LATE:
        return None
    return Reason(
        code=Code.LOST,
        sentence=f"Its container has not come for *{evidence.operation}* for {span(idle)}; "
        "it is stopped after 60 s, then the next attempt starts.",
        since=step.schedule_time,
        changes="when it is heard of again, or given up",
        changes_at=at,
    )


def engine(evidence: Evidence) -> Reason | None:
    """The server's own work is late."""
    supervisor = evidence.supervisor
    if supervisor is None or supervisor.claimed_by is not None or not evidence.engines:
        return None
    return late(supervisor, evidence.now)


def late(step: Step, now: datetime) -> Reason | None:
    """A step of the server's own that is due for too long, and that nobody has taken."""
    behind = now - step.schedule_time
    if behind < LATE:
        return None
    return Reason(
        code=Code.ENGINE,
        sentence=f"Scheduler behind by {span(behind)}.",
        since=step.schedule_time,
        changes="when the server's engine gets to it",
        blocking=Blocking(kind="step", id=str(step.id), name=step.name, link=f"/steps/{step.id}"),
        actions=[_doctor("health")],
    )


CHECKS: Final[tuple[Callable[[Evidence], Reason | None], ...]] = (
    holding.paused,
    holding.workflow_paused,
    not_due,
    depends_on,
    asleep,
    approval,
    holding.in_line,
    holding.held,
    no_runner,
    cluster,
    starting,
    lost,
    engine,
)


def unknown(evidence: Evidence) -> Reason:
    """Nothing of all that."""
    step = evidence.step
    seen = "no step that is ready" if step is None else f"{step.name} due {step.schedule_time}"
    return Reason(
        code=Code.UNKNOWN,
        sentence=f"No reason known. The engine saw {seen}, the run {evidence.run['state']}.",
        since=evidence.run["created_at"],
        changes="perhaps within seconds: a move may be under way",
        actions=[_doctor("file a bug with the diagnostics")],
    )


def moving(evidence: Evidence) -> str | None:
    """What the run or step does, where it does not wait."""
    step, run = evidence.step, evidence.run
    if step is not None and step.ended_as is not None:
        return f"It ended as {step.ended_as}: {first_line(step.description, 'no description')}."
    if RunState(run["state"]).ended:
        return f"The run has {run['state']}: {first_line(run['reason'], 'all operations ended')}."
    if run["state"] == RunState.CANCELLING:
        return "The run is being cancelled; it ends when its container has stopped."
    if step is not None and step.claimed_by is not None and _alive(evidence):
        since = f", {span(evidence.now - step.claimed_at)} so far" if step.claimed_at else ""
        return f"*{evidence.operation}* is running{since}."
    if step is None and not evidence.ahead:
        return "All operations have ended; the run is about to end."
    return None


def _alive(evidence: Evidence) -> bool:
    """Whether its container has not ended, nor is on a node of which nobody hears."""
    attempt, condition = evidence.attempt, evidence.condition
    silent = condition is not None and condition.code == Code.LOST
    return attempt is None or (attempt["finished_at"] is None and not silent)


def _later(evidence: Evidence, step: Step) -> bool:
    """Whether it waits for its time, and for nobody's word."""
    asked = evidence.waiting is not None and evidence.waiting.code is WaitingCode.APPROVAL
    open_ = step.ended_as is None and not step.waiting_for
    return open_ and not asked and step.schedule_time > evidence.now


def _now(step: Step, label: str = "start now") -> Action:
    return Action(
        label=label,
        command=f"stepwell steps activate {step.id}",
        method="POST",
        path=f"/steps/{step.id}/activations",
    )


def _stop(evidence: Evidence) -> Action:
    """An operation of a run is not ended by itself: its run is."""
    run_id = evidence.run["id"]
    return Action(
        label="stop retrying, cancel the run",
        command=f"stepwell runs cancel {run_id}",
        method="POST",
        path=f"/runs/{run_id}/cancellations",
    )


def _doctor(label: str) -> Action:
    return Action(label=label, command="stepwell doctor", method="GET", path="/health")


def _step(step: Step | None, operation: str | None) -> Blocking | None:
    if step is None:
        return None
    link = f"/runs/{step.flow_id}?step={step.id}"
    return Blocking(kind="step", id=str(step.id), name=operation or step.name, link=link)


def _group(evidence: Evidence) -> Blocking:
    name = evidence.run["group_name"]
    return Blocking(kind="group", id=name, name=name, link=f"/groups/{name}")
