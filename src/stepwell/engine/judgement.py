"""Outcome + execution -> settlement. Nothing here reads a store."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from stepwell.codec import Codec, limited
from stepwell.engine.fingerprint import fingerprint
from stepwell.engine.sealing import seal_fan
from stepwell.errors import HandlerInvalid, StepwellError
from stepwell.frozen import maker
from stepwell.outcome import (
    KEEP,
    Done,
    Fail,
    FailStep,
    Fan,
    Outcome,
    Rerun,
    Settlement,
    Skip,
    fail,
)
from stepwell.registry import Handler
from stepwell.step import Addition, EndedAs, Step

_OWN_CODE: Final = str(Path(__file__).parents[1])
_FRAMES: Final = 5
MOST_CHARACTERS: Final = 4000
"""Of an exception's message. What is longer is a page or a body that nobody reads to its end, and
would be written again with each try."""
_settlement: Final = maker(Settlement)
_DONE: Final = Done()
OUTCOMES: Final = (Done, Skip, Fail, Rerun, Settlement)
"""What a handler may return beside nothing: written as `A | B` it would be made for each step."""
# Looked up once: before Python 3.12 that is a call of a function.
_ENDED_DONE: Final = EndedAs.DONE
_SKIPPED: Final = EndedAs.SKIPPED
_FAILED: Final = EndedAs.FAILED
_PASSES: Final = (_ENDED_DONE, _SKIPPED)
"""A step that ends so leaves its place in a join to `then` (R28)."""


class Facts(Protocol):
    """What is known of one execution when it has ended. `duration` is in seconds."""

    step: Step
    handler: Handler
    codec: Codec
    started_at: datetime
    duration: float
    executed_by: str


def _ended_at(facts: Facts) -> datetime:
    """What follows is due after this instant."""
    return facts.started_at + timedelta(seconds=facts.duration)


def judge(facts: Facts, outcome: Outcome | Settlement) -> Settlement:
    """What the store is told when a handler returned `outcome`.

    A settlement is one that was made where the step was executed; it is taken over.

    Raises
    ------
    StepwellError : a state, result or spawned step that cannot be kept.
    """
    match outcome:
        case Done():
            return _ended(facts, _ENDED_DONE, _told(facts, outcome), outcome, outcome.result)
        case Skip():
            return _ended(facts, _SKIPPED, _kept(facts, outcome.description), outcome)
        case Fail():
            return _ended(facts, _FAILED, _kept(facts, outcome.description), outcome)
        case Rerun():
            return _rerun(facts, outcome)
        case Settlement():
            return replace(outcome, claim=facts.step.claim, unwritten=_is_unwritten(facts.step))


def judge_error(facts: Facts, error: BaseException) -> Settlement:
    """What the store is told when a handler raised: a retry, or the end of the step.

    `FailStep` fails it at once. A value that cannot be kept fails it too, for
    trying again would repeat the handler's effects and end the same way (R16).
    """
    failures = facts.step.failure_count + 1
    if isinstance(error, FailStep):
        judged = judge(facts, fail(error.description, next=error.next))
    elif facts.handler.retry.allows(failures, error):
        return _retry(facts, error, failures)
    else:
        judged = judge(facts, _used_up(facts, error))
    return _marked(judged, facts, error)


def failed_with(facts: Facts, error: BaseException) -> Settlement:
    """The step fails, spawns nothing, and its description is the error."""
    own = isinstance(error, StepwellError)
    said = storable(headline(error)) if own else describe(error)
    return _marked(_ended(facts, _FAILED, said, Fan()), facts, error)


def as_outcome(value: Any, handler: Handler) -> Outcome | Settlement:
    """What a handler returned, as an outcome; None means done.

    A handler that has had its step executed elsewhere returns the settlement made there.

    Raises
    ------
    HandlerInvalid : it returned something else.
    """
    if value is None:
        return _DONE
    if isinstance(value, OUTCOMES):
        return value
    raise HandlerInvalid(
        f"The handler of {handler.names[0]!r} returned a {type(value).__name__}.",
        why="A handler returns done(...), fail(...), rerun(...) or None.",
        fix="Return done(result) to keep the value as the step's result.",
    )


def describe(error: BaseException) -> str:
    """Type and message of an exception, and the user's own last frames.

    Errors of Stepwell's own say what happened without their type.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_OWN_CODE)
    ]
    lines = [f"  {f.filename}:{f.lineno} in {f.name}: {f.line}" for f in frames[-_FRAMES:]]
    return storable("\n".join([headline(error), *lines]))


def headline(error: BaseException, *, typed: bool = False) -> str:
    """Type and message of an exception; Stepwell's own without their type, unless `typed`."""
    try:
        text = str(error)
    except Exception:  # user code: an exception that cannot be shown must not strand its step
        text = "(its message cannot be shown)"
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]} ... ({len(text):,} characters)"
    own = isinstance(error, StepwellError) and not typed
    return text if own else f"{type(error).__name__}: {text}"


def storable(text: str) -> str:
    """The text without what no database keeps: NUL and lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _told(facts: Facts, outcome: Done | Rerun) -> str | None:
    """What the handler says, or else the step's own description; an old error is over."""
    step = facts.step
    if outcome.description is not None:
        return _kept(facts, outcome.description)
    return None if step.failure_count else step.description


def _kept(facts: Facts, description: str) -> str:
    """What a handler says in words, often those of an exception: a character that no database
    keeps must not undo its outcome."""
    return limited(storable(str(description)), f"description of {facts.step.name}")


def _used_up(facts: Facts, error: BaseException) -> Outcome:
    exhausted = facts.handler.exhausted
    if exhausted is None:
        return Fail(description=describe(error))
    outcome = exhausted(facts.step, error)
    if isinstance(outcome, Done | Skip | Fail | Rerun):
        return outcome
    raise HandlerInvalid(
        f"exhausted= of {facts.step.name!r} returned a {type(outcome).__name__}.",
        why=f"It was called for: {headline(error)}",
        fix="Return fail(...), skip(...), done(...) or rerun(...).",
    )


def _marked(settlement: Settlement, facts: Facts, error: BaseException) -> Settlement:
    """With the error's fingerprint, unless `exhausted` has made something else of it."""
    if settlement.ended_as is not _FAILED:
        return settlement
    return replace(settlement, fingerprint=fingerprint(error, facts.step.name))


def _ended(
    facts: Facts,
    ended_as: EndedAs,
    description: str | None,
    fan: Fan,
    result: Any = None,
) -> Settlement:
    step = facts.step
    place = step.join_id if fan.then is not None and ended_as in _PASSES else None
    text = None if result is None else facts.codec.encode(result)
    return _settlement(  # not by _settled: most steps end here, and that would cost a twentieth
        step.claim,
        ended_as,
        description,
        step.activation_no,
        step.failure_count + (ended_as is _FAILED),
        facts.started_at,
        facts.duration,
        facts.executed_by,
        unwritten=_is_unwritten(step),
        result=None if text is None else limited(text, f"result of {step.name}"),
        result_format=facts.codec.format,
        passes_join=place is not None,
        additions=_additions(facts, fan, place) if fan.next or fan.then is not None else (),
    )


def _rerun(facts: Facts, outcome: Rerun) -> Settlement:
    due = outcome.at
    if outcome.after is not None:
        due = _ended_at(facts) + outcome.after
    keep = outcome.state is KEEP
    text = None if keep else facts.codec.encode(outcome.state)
    return _settled(
        facts,
        None,
        _told(facts, outcome),
        0,
        schedule_time=due,
        keep_state=keep,
        state=None if text is None else limited(text, f"state of {facts.step.name}"),
        state_format=facts.codec.format,
        additions=_additions(facts, outcome),
    )


def _retry(facts: Facts, error: BaseException, failures: int) -> Settlement:
    delay = timedelta(seconds=facts.handler.retry.delay(failures))
    return _settled(
        facts,
        None,
        describe(error),
        failures,
        schedule_time=_ended_at(facts) + delay,
        keep_activation=True,
        fingerprint=fingerprint(error, facts.step.name),
    )


def _settled(
    facts: Facts, ended_as: EndedAs | None, description: str | None, failure_count: int, **more: Any
) -> Settlement:
    """What a settlement says of its execution, and more."""
    step = facts.step
    return _settlement(
        step.claim,
        ended_as,
        description,
        step.activation_no,
        failure_count,
        facts.started_at,
        facts.duration,
        facts.executed_by,
        unwritten=_is_unwritten(step),
        **more,
    )


def _is_unwritten(step: Step) -> bool:
    """Whether its claim is a lock alone, as far as its engine knows."""
    return step.claim_request is None


def _additions(facts: Facts, fan: Fan, place: UUID | None = None) -> tuple[Addition, ...]:
    if not fan.next and fan.then is None:
        return ()
    return seal_fan(fan, facts.codec, _ended_at(facts), facts.step, place, facts.handler.classes)
