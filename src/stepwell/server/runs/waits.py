"""What a run without a container waits for, as its header keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from stepwell import clock
from stepwell.server.runs import approvals, slots
from stepwell.server.runs.judgement import operation_of
from stepwell.server.runs.line import Row
from stepwell.server.runs.records import Waiting, WaitingCode
from stepwell.server.runs.slots import Full
from stepwell.step import Step

LOOK_AGAIN: Final = 60.0
"""Seconds between looks at a running container that nobody reports about, and of the first
in a line; those far behind look more rarely, so that a long line costs no more than a short one."""
LONGEST: Final = 10 * LOOK_AGAIN
"""Seconds between looks of the last in a long line."""
SHORT: Final = 50
"""With so many runs ahead in line, looks are twice as far apart."""


def until_due(run: Row, step: Step, now: datetime) -> Waiting:
    """It sleeps until an operation is due: for an approval, a retry, or because it said so."""
    asked = approvals.asked(step)
    if asked is not None:
        return asked.waiting
    failed = step.failure_count > 0
    code = WaitingCode.RETRY if failed else WaitingCode.DUE
    operation = operation_of(step)
    headline = (step.description or "").strip().partition("\n")[0]
    said = f"{operation} is tried again" if failed else f"{operation} is due"
    error = f"; it failed {step.failure_count} times, last: {headline}" if failed else ""
    return Waiting(
        code=code,
        sentence=f"{said} at {step.schedule_time:%Y-%m-%d %H:%M:%S}Z{error}.",
        since=_since(run, code, now),
        until=step.schedule_time,
        details={"operation": operation, "failures": step.failure_count},
    )


def in_line(run: Row, full: Full, now: datetime) -> Waiting:
    """It waits for a slot; what it waited for before is kept, for its phases."""
    waiting = full.waiting(_since(run, WaitingCode.LIMIT, now))
    earlier = _earlier(run)
    return waiting.model_copy(update={"details": {**waiting.details, "earlier": earlier}})


def look_again(run: Row, full: Full, now: datetime) -> datetime:
    """When a run in line looks by itself; as a rule it is woken before."""
    seconds = min(LOOK_AGAIN * (1 + full.ahead / SHORT), LONGEST)
    deadline: datetime = run["deadline_at"]
    return min(deadline, now + timedelta(seconds=seconds))


def fresh(conn: Connection, run: Row) -> Waiting | None:
    """What a run waits for as of now: who is ahead in line changes without its knowing."""
    if run["waiting_code"] != WaitingCode.LIMIT:
        return None if run["waiting"] is None else Waiting(**run["waiting"])
    full = slots.look(conn, run)
    return Waiting(**run["waiting"]) if full is None else in_line(run, full, clock.now())


def before(run: Row) -> dict[str, Any]:
    """What an attempt keeps of the time before it: what it was waited for, since when in line."""
    lined_up = run["waiting_code"] == WaitingCode.LIMIT
    since = datetime.fromisoformat(run["waiting"]["since"]) if lined_up else None
    return {"waited_for": _earlier(run), "lined_up_at": since}


def past_deadline(run: Row, ended: str = "") -> str:
    """Why a run was ended by its deadline, with what it waited for.

    Parameters
    ----------
    ended : what is known of its last container; said where nothing of the run ever began.
    """
    seconds = (run["deadline_at"] - run["created_at"]).total_seconds()
    if ended and run["started_at"] is None:
        return f"It did not begin within its deadline of {seconds:g} s. {ended}"
    if run["waiting"] is None:
        return f"It ran longer than its deadline of {seconds:g} s."
    return f"It did not end within its deadline of {seconds:g} s. {run['waiting']['sentence']}"


def _earlier(run: Row) -> str | None:
    if run.get("waiting_code") != WaitingCode.LIMIT:
        return str(run["waiting_code"]) if run.get("waiting_code") else None
    earlier: str | None = run["waiting"]["details"].get("earlier")
    return earlier


def _since(run: Row, code: WaitingCode, now: datetime) -> datetime:
    same = run.get("waiting_code") == code
    return datetime.fromisoformat(run["waiting"]["since"]) if same else now
