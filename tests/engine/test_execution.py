"""Nothing that user code raises may strand its step: whatever it is, the step is settled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stepwell import Engine, NewStep, Outcome, Registry, RetryPolicy, Step, done, new_step, rerun
from stepwell.stores.protocol import Store


class Unspeakable(Exception):
    """An exception whose message cannot be made."""

    def __str__(self) -> str:
        raise KeyError("no words")


class Raising:
    """A value whose own code fails when it is written."""

    def model_dump(self, mode: str) -> None:
        """As pydantic's models have it."""
        raise LookupError(mode)


def _settled(store: Store, registry: Registry, new: NewStep) -> Step:
    engine = Engine(store, registry)
    step_id = engine.add(new)
    tally = engine.drain()
    assert tally.executed == 1
    return engine.get(step_id)


def test_an_exception_that_cannot_be_shown_is_retried_like_any_other(
    store: Store, registry: Registry
) -> None:
    @registry.handler("v1/x", retry=RetryPolicy(delays=(3600,)))
    def x() -> None:
        raise Unspeakable

    step = _settled(store, registry, new_step("v1/x"))
    assert (step.claimed_by, step.failure_count) == (None, 1)
    assert step.description is not None
    assert step.description.startswith("Unspeakable: ")


def test_a_rerun_beyond_the_calendar_fails_its_step(store: Store, registry: Registry) -> None:
    @registry.handler("v1/x")
    def x() -> Outcome:
        return rerun(after=timedelta(days=4_000_000))

    step = _settled(store, registry, new_step("v1/x"))
    assert step.ended_as == "failed"
    assert step.description is not None
    assert step.description.startswith("OverflowError: ")


def test_a_result_whose_own_code_raises_fails_its_step(store: Store, registry: Registry) -> None:
    @registry.handler("v1/x")
    def x() -> Outcome:
        return done(Raising())

    step = _settled(store, registry, new_step("v1/x"))
    assert step.ended_as == "failed"
    assert step.description is not None
    assert step.description.startswith("LookupError: ")


@pytest.mark.parametrize("raised", [LookupError("nor this"), SystemExit("nor this")])
def test_a_last_word_that_raises_fails_its_step(
    store: Store, registry: Registry, raised: BaseException
) -> None:
    """`exhausted` is user code too."""

    def exhausted(step: Step, error: BaseException) -> Outcome:
        raise raised

    @registry.handler("v1/x", retry=RetryPolicy(attempts=1), exhausted=exhausted)
    def x() -> None:
        raise ValueError("not this")

    step = _settled(store, registry, new_step("v1/x"))
    assert step.ended_as == "failed"
    assert step.description is not None
    assert step.description.startswith(f"{type(raised).__name__}: nor this")
