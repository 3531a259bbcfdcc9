"""What the end of a run is measured as, and of which cause it failed. Pure.

Trials are not measured. A re-execution says how often it was tried again, and nothing
of rates or durations: a part of it was done before (decision 0056).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping

from stepwell.server.metrics.records import Ending, Wait, WaitReason
from stepwell.server.runs.judgement import Verdict, operation_of
from stepwell.server.runs.records import RunState
from stepwell.step import EndedAs, Step, StepStatus

_ENDED_AS: Final = {
    RunState.SUCCEEDED: EndedAs.DONE,
    RunState.FAILED: EndedAs.FAILED,
    RunState.CANCELLED: EndedAs.CANCELLED,
}
_BEFORE: Final = {
    "approval": WaitReason.APPROVAL,
    "retry": WaitReason.RETRY,
    "due": WaitReason.ASLEEP,
    "limit": WaitReason.LIMIT,
}
_VARYING: Final = re.compile(
    r"\b(?=[a-f-]*\d)[0-9a-f][0-9a-f-]{7,}\b|0x[0-9a-f]+|\d+(\.\d+)?", re.IGNORECASE
)
_DIGITS: Final = 16


def is_measured(run: RowMapping) -> bool:
    """Whether a run counts: a trial does not."""
    return run.get("trial") is None


def is_reexecution(run: RowMapping) -> bool:
    """Whether a run takes over results of another one."""
    return run.get("reexecution_of") is not None


def ending(run: RowMapping, verdict: Verdict, now: datetime, cause: str | None) -> Ending:
    """What is counted of a run that ends."""
    begun = run["started_at"] or run["created_at"]
    failed = verdict.state is RunState.FAILED
    return Ending(
        at=now,
        group=run["group_name"],
        workflow=run["workflow"],
        operation="",
        ended_as=_ENDED_AS[verdict.state],
        duration=(now - begun).total_seconds(),
        release_id=run["release_id"],
        retries=max(run["attempt"] - 1, 0),
        cause=cause if failed else None,
        run_id=run["id"],
        sentence=sentence(run, verdict) if failed else None,
    )


def sentence(run: RowMapping, verdict: Verdict) -> str:
    """What is said of a run that has failed."""
    return f"{run['group_name']}/{run['workflow']} failed. {_headline(verdict.reason)}".strip()


def waits(run: RowMapping, attempts: Sequence[RowMapping], now: datetime) -> Iterator[Wait]:
    """What a run waited for, of the attempts that it had, oldest first (R40)."""
    if run["trigger"] == "schedule":
        yield from _piece(run, WaitReason.LATE, run["due_at"], run["created_at"], now)
    free, reason = run["created_at"], WaitReason.QUEUED
    for attempt in attempts:
        queued = attempt["queued_at"]
        lined_up = attempt.get("lined_up_at") or queued
        before = _BEFORE.get(attempt.get("waited_for") or "", reason)
        yield from _piece(run, before, free, lined_up, now)
        yield from _piece(run, WaitReason.LIMIT, lined_up, queued, now)
        yield from _piece(run, WaitReason.LAUNCHING, queued, attempt["launched_at"], now)
        launched, started = attempt["launched_at"], attempt["started_at"]
        yield from _piece(run, WaitReason.STARTING, launched, started, now)
        free, reason = attempt["finished_at"], WaitReason.RETRY


def _piece(
    run: RowMapping, reason: WaitReason, begin: Any, end: Any, now: datetime
) -> Iterator[Wait]:
    if begin is not None and end is not None and end > begin:
        group, workflow = run["group_name"], run["workflow"]
        seconds = (end - begin).total_seconds()
        yield Wait(at=now, group=group, workflow=workflow, reason=reason, seconds=seconds)


# -- causes ------------------------------------------------------------------------


def cause(run: RowMapping, verdict: Verdict, steps: Iterable[Step] = ()) -> str:
    """The fingerprint of a failed run: of the operation that failed last, else of the reason."""
    failed = [
        step
        for step in steps
        if step.status is StepStatus.FAILED and step.ended_as is EndedAs.FAILED
    ]
    last = max(failed, key=lambda step: (step.ended_at or step.created_at, step.id), default=None)
    if last is not None and last.fingerprint:
        return last.fingerprint
    where = f"{run['group_name']}/{run['workflow']}"
    if last is not None:
        where = f"{where}/{operation_of(last)}"
    return _hashed(where, verdict.reason)


def cause_of_launch(verdict: Verdict) -> str:
    """Of a container that could not be started: the same for all that the launcher refuses so."""
    return _hashed("launch", verdict.reason)


def _hashed(where: str, reason: str | None) -> str:
    # Ids, sizes and times differ from one failure to the next of the same cause.
    text = f"{where}|{_VARYING.sub('#', _headline(reason))}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_DIGITS]


def _headline(reason: str | None) -> str:
    return (reason or "").strip().partition("\n")[0]
