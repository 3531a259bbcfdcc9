"""The moves that a row may make, as pure functions: the row before -> the row after.

The SQL stores write the same moves as statements. Read here what they mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from stepwell.errors import SettlementRejected
from stepwell.outcome import Settlement
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, Step, StepStatus

SUSPECT_FROM: Final = 2
"""From this `lost_count` on a step is claimed alone (R15)."""

LOST_LIMIT: Final = 5
"""At this `lost_count` a step fails (R15)."""

LOST_TOO_OFTEN: Final = f"its engine died {LOST_LIMIT} times while running it"
"""The description of a step that failed so."""

REPLACED: Final = "replaced by a new step of the same name and unique key"
"""The description of a step that gave way to another (R5)."""


def claimed(step: Step, engine_id: UUID, request_id: UUID, now: datetime) -> Step:
    """The row in an engine's hands, under the next claim number."""
    return replace(
        step,
        claimed_by=engine_id,
        claim_request=request_id,
        claimed_at=now,
        claim_no=step.claim_no + 1,
        started=False,
        parked=False,
    )


def released(step: Step, lost: int = 0) -> Step:
    """The row given back unsettled: the number rises, so the old claim is stale."""
    return replace(unclaimed(step), claim_no=step.claim_no + 1, lost_count=step.lost_count + lost)


def unclaimed(step: Step) -> Step:
    """The row without its owner; the claim number stays."""
    return replace(step, claimed_by=None, claim_request=None, claimed_at=None, started=False)


def ended(
    step: Step, ended_as: EndedAs, description: str, now: datetime, result: str | None = None
) -> Step:
    """The row ended by somebody other than its claim's holder (R6, R8)."""
    return replace(
        released(step), ended_as=ended_as, ended_at=now, description=description, result=result
    )


def activated(step: Step, args: str | None, at: datetime) -> Step:
    """The row with new activation arguments; a claim on it stays (R8)."""
    return replace(
        step, activation_args=args, activation_no=step.activation_no + 1, schedule_time=at
    )


def rescheduled(step: Step, at: datetime) -> Step:
    """The row due at another time; a claim on it is taken away (R8)."""
    free = step if step.claimed_by is None else released(step)
    return replace(free, schedule_time=at)


def expired(step: Step, expiry: Expiry) -> bool:
    """Whether the row is one of those that the expiry names (R23)."""
    return (
        step.status is expiry.status
        and step.retention is expiry.retention
        and step.ended_at is not None
        and step.ended_at < expiry.before
    )


def counted_down(step: Step, ended: int, now: datetime) -> Step:
    """The join after so many of its members have ended; the last of them makes it due (R28)."""
    left = step.waiting_for - ended
    due = step.schedule_time if left else max(step.schedule_time, now)
    return replace(step, waiting_for=left, schedule_time=due)


def settled_before(step: Step, claim: Claim, engine_id: UUID) -> bool:
    """Whether the row shows that this claim was settled: ended, or ready and unclaimed (R13)."""
    owner = None if step.status is StepStatus.READY else engine_id
    return step.claim_no == claim.claim_no and step.claimed_by == owner


def settled(step: Step, settlement: Settlement, now: datetime) -> Step:
    """The row after an execution under its present claim."""
    ran = _executed(step, settlement)
    return (
        _rerun(ran, settlement, now) if settlement.ended_as is None else _over(ran, settlement, now)
    )


def _executed(step: Step, settlement: Settlement) -> Step:
    keep = settlement.keep_state
    return replace(
        step,
        execution_count=step.execution_count + 1,
        execution_started_at=settlement.execution_started_at,
        execution_duration=settlement.execution_duration,
        executed_by=settlement.executed_by,
        failure_count=settlement.failure_count,
        lost_count=0,
        description=settlement.description,
        fingerprint=settlement.fingerprint,
        activation_seen=settlement.activation_seen,
        state=step.state if keep else settlement.state,
        state_format=step.state_format if keep else settlement.state_format,
    )


def _over(step: Step, settlement: Settlement, now: datetime) -> Step:
    """Claimant and claim number stay, so that settling again is recognised (R13)."""
    return replace(
        unclaimed(step),
        join_id=None if settlement.passes_join else step.join_id,
        claimed_by=step.claimed_by,
        ended_as=settlement.ended_as,
        ended_at=now,
        result=settlement.result,
        result_format=settlement.result_format,
    )


def _rerun(step: Step, settlement: Settlement, now: datetime) -> Step:
    """An activation that the execution has not seen keeps its arguments and its time (R8)."""
    free = unclaimed(step)
    if step.activation_no > settlement.activation_seen:
        return free
    args = step.activation_args if settlement.keep_activation else None
    return replace(free, schedule_time=settlement.schedule_time or now, activation_args=args)


def claimants(settlements: Iterable[Settlement]) -> set[UUID]:
    """The engines in whose names spawned steps come claimed (R21)."""
    spawned = [added.step.claimed_by for one in settlements for added in one.additions]
    return {engine_id for engine_id in spawned if engine_id is not None}


def check_taken_over(additions: Sequence[Addition], inserted: Sequence[bool]) -> None:
    """A row that comes claimed must be a new one, for its engine is about to run it (R1, R21).

    Raises
    ------
    SettlementRejected : its id was there before.
    """
    if all(inserted):
        return
    for addition, new in zip(additions, inserted, strict=True):
        if addition.step.claimed_by is not None and not new:
            raise SettlementRejected(
                f"The step {addition.step.id} was there before.",
                why="The same id is the same step (R1), and its engine would run it once more.",
                fix="Insert it without a claim.",
            )
