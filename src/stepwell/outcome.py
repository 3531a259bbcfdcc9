"""What a handler returns, and what the store is told about it.

A handler returns a value: `Done`, `Fail` or `Rerun` (by the functions `done`,
`fail` and `rerun`), each with the steps to add in the same transaction. The
engine turns it into a `Settlement`; the store applies that, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, Final, TypeAlias

from stepwell.clock import as_utc
from stepwell.errors import InvalidInput
from stepwell.given import of_type
from stepwell.step import (
    Addition,
    Claim,
    EndedAs,
    JoinPolicy,
    NewStep,
    check_new,
    join_policy,
    one_or_many,
)

Steps: TypeAlias = NewStep | Iterable[NewStep] | None


class Keep(Enum):
    """The type of `KEEP`."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""The state stays as it is; `None` is a value of its own (R4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """The steps that an outcome adds, and the one that waits for all of them (R28).

    Without `then` nobody waits for them.
    """

    next: tuple[NewStep, ...] = ()
    then: NewStep | None = None
    on_failure: JoinPolicy = JoinPolicy.WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Fan):
    """The step has done its work."""

    result: Any = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Fan):
    """The step had nothing to do: it ends in the done table, as skipped."""

    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Fan):
    """The step has failed for good; no retry follows."""

    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun(Fan):
    """The step keeps its row and runs again, at an instant or after a delay."""

    state: Any = KEEP
    at: datetime | None = None
    after: timedelta | None = None
    description: str | None = None


Outcome: TypeAlias = Done | Skip | Fail | Rerun


def done(
    result: Any = None,
    *,
    next: Steps = None,
    then: NewStep | None = None,
    on_failure: JoinPolicy | str = JoinPolicy.WAIT,
    description: str | None = None,
) -> Done:
    """The step is done, with a result that people and later steps can read.

    Parameters
    ----------
    next : steps to add in the same transaction.
    then : a step that runs when all of `next` have ended; its handler may read their
        results by the parameter `joined`. If the step that returns this is itself
        waited for, `then` takes its place.
    on_failure : what `then` does when one of them fails: 'wait' until a re-executed
        copy of it has ended, 'fail' at once, or 'go on' without it.

    Raises
    ------
    InvalidInput : another word for `on_failure`, or something that is no step.
    """
    policy, steps = join_policy(on_failure), _fan(next, then)
    return Done(result=result, description=description, next=steps, then=then, on_failure=policy)


def skip(
    description: str,
    *,
    next: Steps = None,
    then: NewStep | None = None,
    on_failure: JoinPolicy | str = JoinPolicy.WAIT,
) -> Skip:
    """The step had nothing to do; the description says why. For the rest see `done`."""
    policy, steps = join_policy(on_failure), _fan(next, then)
    return Skip(description=description, next=steps, then=then, on_failure=policy)


def fail(
    description: str,
    *,
    next: Steps = None,
    then: NewStep | None = None,
    on_failure: JoinPolicy | str = JoinPolicy.WAIT,
) -> Fail:
    """The step has failed for good; the description says why.

    `then` waits for `next` as with `done`, but does not take the failed step's place.
    """
    policy, steps = join_policy(on_failure), _fan(next, then)
    return Fail(description=description, next=steps, then=then, on_failure=policy)


class FailStep(Exception):
    """Raise in a handler: the step fails at once, whatever its retry policy.

    Parameters
    ----------
    description : why it failed, shown to people.
    next : a step, or several, to add in the same transaction.
    """

    def __init__(self, description: str, next: Steps = ()) -> None:
        super().__init__(description)
        self.description: Final = description
        # Whether they are steps is asked when the step ends: a slip here must not hide why.
        several = next if isinstance(next, Iterable) else () if next is None else (next,)
        self.next: Final = tuple(several)


def rerun(
    state: Any = KEEP,
    *,
    at: datetime | None = None,
    after: timedelta | float | None = None,
    next: Steps = None,
    then: NewStep | None = None,
    on_failure: JoinPolicy | str = JoinPolicy.WAIT,
    description: str | None = None,
) -> Rerun:
    """Run the same step again: now, at an aware instant, or after a delay.

    Parameters
    ----------
    state : the new state; by default it stays as it is.
    at : not before this instant.
    after : a timedelta, or seconds.
    then : waits for `next` as with `done`; where this step is waited for, it still is.

    Raises
    ------
    InvalidInput : both `at` and `after`, an instant without a zone, or another word for
        `on_failure`.
    """
    if at is not None and after is not None:
        raise InvalidInput("A rerun has either at= or after=.", fix="Leave one of them out.")
    delay = None if after is None else _delay(after)
    instant = None if at is None else as_utc(at)
    return Rerun(
        state=state,
        at=instant,
        after=delay,
        description=description,
        next=_fan(next, then),
        then=then,
        on_failure=join_policy(on_failure),
    )


def _fan(next: Steps, then: NewStep | None) -> tuple[NewStep, ...]:
    if then is not None:
        check_new(then)
    return one_or_many(next)


def _delay(after: timedelta | float) -> timedelta:
    if isinstance(after, timedelta):
        return after
    fix = "Give seconds, or a timedelta."
    of_type("after", after, (int, float), fix)
    try:
        return timedelta(seconds=after)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"after={after} is no delay.", why=f"{error}.", fix=fix) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the store is told when an execution ends. Applied whole, or not at all.

    `ended_as` None means that the row stays ready, due at `schedule_time` (None: now).
    `state` counts only where `keep_state` is false. `keep_activation` keeps the activation
    arguments on the row (a retry has not consumed them); otherwise a rerun clears them.
    `activation_seen` is the activation number that the execution started with (R8).
    `execution_duration` is in seconds. `fingerprint` is that of the exception, or None.
    `passes_join`: one of the additions is a member of the row's join in its place, so the
    ended row is none any more, and its end does not count (R28). `unwritten` says that the
    claim was a lock alone, and may not stand on the row.
    """

    claim: Claim
    ended_as: EndedAs | None
    description: str | None
    activation_seen: int
    failure_count: int
    execution_started_at: datetime
    execution_duration: float
    executed_by: str
    schedule_time: datetime | None = None
    keep_state: bool = True
    state: str | None = None
    state_format: str = "json"
    keep_activation: bool = False
    result: str | None = None
    result_format: str = "json"
    fingerprint: str | None = None
    passes_join: bool = False
    additions: tuple[Addition, ...] = ()
    unwritten: bool = False


class Verdict(StrEnum):
    """What became of a settlement: applied (now or by an earlier try), or refused (R12)."""

    APPLIED = "applied"
    REFUSED = "refused"
