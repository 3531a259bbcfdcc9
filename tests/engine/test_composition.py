"""An engine that could never run anything, or not what was meant, is refused when it is made."""

from __future__ import annotations

from typing import Any

import pytest

from stepwell import Engine, FailStep, Outcome, Registry, RetryPolicy, StepClient, done, new_step
from stepwell.errors import InvalidInput
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"queues": "default"}, "Give a tuple: queues=('default',)."),
        ({"queues": ()}, "An engine without a queue would never run anything."),
        ({"queues": [5]}, "One of the queues is 5 (int)."),
        ({"queues": {"a": "1"}}, "The share of 'a' is '1' (str)."),
        ({"workers": 0}, "With workers=0 nothing would ever run."),
        ({"workers": "8"}, "workers is '8' (str)."),
        ({"min_workers": -1}, "With min_workers=-1"),
        ({"workers": 2, "min_workers": 4}, "min_workers=4 does not go with workers=2."),
        ({"queues": ("",)}, "An engine without a queue"),
        ({"processes": 0}, "With processes=0"),
        ({"flow_id": "x"}, "flow_id is 'x' (str)."),
        ({"codec": "json"}, "'json' is no codec"),
        ({"codecs": ["json"]}, "'json' is no codec"),
        ({"retention": 5}, "Give a RetentionPolicy."),
    ],
)
def test_what_could_run_nothing_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Engine(MemoryStore(), Registry(), **options)
    assert said in str(refused.value)


@pytest.mark.parametrize("kind", [StepClient, lambda store: Engine(store, Registry())])
def test_an_address_is_no_store(kind: Any) -> None:
    with pytest.raises(InvalidInput, match="open_store"):
        kind("sqlite:///steps.db")


def test_handlers_come_in_a_registry() -> None:
    with pytest.raises(InvalidInput, match="Give the Registry"):
        Engine(MemoryStore(), {"v1/x": print})  # type: ignore[arg-type]


def test_a_failure_with_one_step_to_follow_is_no_accident(store: Store, registry: Registry) -> None:
    """Written without a list, it must not be a TypeError that is tried again for ever."""

    @registry.handler("v1/pay")
    def pay() -> Outcome:
        raise FailStep("no money", next=new_step("v1/tell"))

    registry.handler("v1/tell")(lambda: None)
    engine = Engine(store, registry)
    engine.add(new_step("v1/pay"))
    engine.drain()
    (failed,) = engine.search(name="v1/pay")
    assert (failed.ended_as, failed.description) == ("failed", "no money")
    assert engine.count(name="v1/tell").done == 1


@pytest.mark.parametrize("wrong", [None, "skip", {"result": 1}])
def test_what_follows_the_last_attempt_is_an_outcome(
    store: Store, registry: Registry, wrong: Any
) -> None:
    """Its step fails with what to do about it, and with why it was asked."""

    @registry.handler("v1/x", retry=RetryPolicy(attempts=1), exhausted=lambda *_: wrong)
    def handler() -> Outcome:
        raise ValueError("boom")

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/x"))
    engine.drain()
    said = engine.get(step_id).description or ""
    assert said.startswith(f"exhausted= of 'v1/x' returned a {type(wrong).__name__}.")
    assert "ValueError: boom" in said
    assert "Return fail(...)" in said


def test_a_step_that_cannot_be_made_fails_the_handler_like_any_exception(
    store: Store, registry: Registry
) -> None:
    @registry.handler("v1/x", retry=RetryPolicy(attempts=1))
    def handler() -> Outcome:
        return done(next=[new_step("v1/y", priority="high")])

    engine = Engine(store, registry)
    step_id = engine.add(new_step("v1/x"))
    engine.drain()
    assert "Use one of: Priority.URGENT" in (engine.get(step_id).description or "")
