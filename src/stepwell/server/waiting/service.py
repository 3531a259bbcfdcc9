"""Why is it waiting? The first reason is shown, the others stand under "then also"."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.server.runs import service as runs
from stepwell.server.schedules import service as schedules
from stepwell.server.services import Services
from stepwell.server.waiting import reasons, timing
from stepwell.server.waiting.evidence import Evidence, gather, of
from stepwell.server.waiting.records import Reason, Subject, Why


def why(conn: Connection, services: Services, run_id: UUID, step: str | None = None) -> Why:
    """Why a run, or one step of it, waits.

    Parameters
    ----------
    step : the name of an operation, or the id of a step of the run.

    Raises
    ------
    RunNotFound, OperationUnknown.
    """
    evidence = gather(conn, services, run_id, step)
    subject = _subject(evidence, asked=step is not None)
    said = reasons.moving(evidence)
    if said is not None:
        return _answer(subject, said, [])
    found = reasons.reasons(evidence)
    if found:
        return _answer(subject, found[0].sentence, found)
    last = reasons.unknown(evidence)
    return _answer(subject, last.sentence, [last], _diagnostics(evidence))


def foreseen(conn: Connection, services: Services, seen: runs.Observed) -> list[Reason]:
    """Why a run would wait that is not written, in order; it cannot be acted upon yet."""
    return reasons.reasons(of(conn, services, seen, None))


def why_schedule(conn: Connection, services: Services, schedule_id: UUID) -> Why:
    """Why a schedule starts no run now; raises `ScheduleNotFound`."""
    row = schedules.get(conn, schedule_id)
    found = timing.reasons(conn, services, row)
    name = f"{row['group_name']}/{row['workflow']}/{row['name']}"
    state = "paused" if row["paused_at"] else "active" if row["active"] else "not in force"
    subject = Subject(kind="schedule", id=schedule_id, name=name, state=state)
    if not found:
        said = "It is due and about to start." if row["next_due"] else "It is never due again."
        return _answer(subject, said, [])
    return _answer(subject, found[0].sentence, found)


def _answer(
    subject: Subject, sentence: str, found: list[Reason], seen: dict[str, str] | None = None
) -> Why:
    return Why(
        subject=subject,
        waiting=bool(found),
        sentence=sentence,
        reason=found[0] if found else None,
        then_also=found[1:],
        diagnostics=seen or {},
        as_of=clock.now(),
    )


def _subject(evidence: Evidence, *, asked: bool) -> Subject:
    run, step = evidence.run, evidence.step
    if not asked:
        name = f"{run['group_name']}/{run['workflow']}"
        return Subject(kind="run", id=run["id"], name=name, state=run["state"])
    state = "not begun" if step is None else str(step.ended_as or step.status)
    subject_id = run["id"] if step is None else step.id
    return Subject(kind="step", id=subject_id, name=evidence.operation or "", state=state)


def _diagnostics(evidence: Evidence) -> dict[str, str]:
    """What was seen, for a report; nothing of it is a secret."""
    seen = {
        "run": f"{evidence.run['id']} {evidence.run['state']}",
        "attempt": str(evidence.run["attempt"]),
        "engines": ", ".join(one.name for one in evidence.engines) or "none",
    }
    for name, step in (("step", evidence.step), ("supervisor", evidence.supervisor)):
        if step is not None:
            fields = ("id", "status", "schedule_time", "claimed_by", "claim_no", "parked")
            seen[name] = " ".join(f"{one}={getattr(step, one)}" for one in fields)
    return seen
