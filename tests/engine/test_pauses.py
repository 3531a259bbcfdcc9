"""Pause and resume of queues, and what explain says of whatever holds a step up."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, StepClient, new_step
from stepwell.engine.pauses import Pauses
from stepwell.stores.controls import ControlKind
from stepwell.stores.protocol import Store


def test_a_paused_queue_is_not_claimed_until_it_is_resumed(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/x")(lambda: None)
    with Engine(store, registry, queues=("default", "mail")) as engine:
        engine.pause("mail", "the mail server is moved")
        engine.add(new_step("v1/x", queue="mail"))
        engine.add(new_step("v1/x"))
        wait_for(lambda: engine.tally.done == 1)
        assert engine.count(queue="mail").ready == 1
        assert engine.resume("mail")
        wait_for(lambda: engine.tally.done == 2)
        assert not engine.resume("mail")


def test_a_pause_reaches_other_engines_with_their_next_beat(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/x")(lambda: None)
    client = StepClient(store)
    with Engine(store, registry) as engine:
        client.pause("default", "stop")
        wait_for(lambda: not engine._pauses.open_queues)
        client.add(new_step("v1/x"))
        client.resume("default")
        wait_for(lambda: engine.tally.done == 1)


def test_an_engine_that_starts_knows_of_pauses_at_once(store: Store, registry: Registry) -> None:
    registry.handler("v1/x")(lambda: None)
    client = StepClient(store)
    client.pause("default", "stop")
    client.add(new_step("v1/x"))
    assert Engine(store, registry).drain().executed == 0
    client.resume("default")
    assert Engine(store, registry).drain().done == 1


def test_an_engine_of_one_flow_runs_it_in_spite_of_a_pause(
    store: Store, registry: Registry
) -> None:
    """R36."""
    registry.handler("v1/x")(lambda: None)
    client = StepClient(store)
    client.pause("default", "stop")
    step = client.get(client.add(new_step("v1/x")))
    assert Engine(store, registry, flow_id=step.flow_id).drain().done == 1


def test_a_beat_that_was_under_way_does_not_undo_a_pause() -> None:
    pauses = Pauses(("a", "b"))
    pauses.pause("a", at=10.0)
    assert not pauses.take_in((), asked=9.0)
    assert list(pauses.open_queues) == ["b"]
    assert pauses.take_in((), asked=11.0)
    assert list(pauses.open_queues) == ["a", "b"]
    pauses.take_in(("b",), asked=12.0)
    pauses.resume("b", at=13.0)
    assert not pauses.take_in(("b",), asked=12.5)
    assert list(pauses.open_queues) == ["a", "b"]


def test_a_pause_says_who_why_and_since_when(store: Store) -> None:
    client = StepClient(store)
    client.pause("mail", "the mail server is moved", by="anna")
    client.limit("smtp", 3, reason="contract")
    client.rate("api", 10, per=60, by="ben")
    limit, pause, rate = client.controls()
    assert (pause.kind, pause.key, pause.changed_by) == (ControlKind.PAUSE, "mail", "anna")
    assert pause.reason == "the mail server is moved"
    assert pause.changed_at is not None
    assert (limit.slots, limit.reason) == (3, "contract")
    assert (rate.slots, rate.period, rate.spacing) == (10, 60.0, 6.0)
    assert client.drop_limit("smtp")
    assert client.drop_rate("api")
    assert not client.drop_rate("api")
    assert client.controls() == [pause]


def test_explain_names_the_pause(store: Store) -> None:
    client = StepClient(store)
    step_id = client.add(new_step("v1/x", queue="mail"))
    client.pause("mail", "the server is moved", by="anna")
    (pause,) = client.controls()
    since = f"{pause.changed_at:%Y-%m-%d %H:%M:%S} UTC"
    expected = f"The queue 'mail' is paused since {since} by anna: the server is moved."
    assert client.explain(step_id) == expected


def test_explain_names_the_holders_of_the_slots(store: Store, registry: Registry) -> None:
    go = threading.Event()

    @registry.handler("v1/send")
    def send() -> None:
        assert go.wait(90)

    with Engine(store, registry) as engine:
        engine.limit("smtp", 2)
        holders = [engine.add(new_step("v1/send", limit_key="smtp")) for _ in range(2)]
        wait_for(lambda: engine.count(limit_key="smtp", claimed=True).ready == 2)
        waiting = engine.add(new_step("v1/send", limit_key="smtp"))
        sentence = engine.explain(waiting)
        assert sentence.startswith("The limit is reached: 2 of 2 slots of 'smtp' are taken by ")
        assert all(f"{one} (v1/send)" in sentence for one in holders)
        assert f"on engine {engine.id}" in engine.explain(holders[0])
        engine.limit("smtp", 0)
        assert engine.explain(waiting) == "Its limit key 'smtp' has no slots at all."
        engine.drop_limit("smtp")
        go.set()
        wait_for(lambda: engine.tally.done == 3)


def test_explain_names_the_rate_and_its_next_instant(store: Store, registry: Registry) -> None:
    registry.handler("v1/send")(lambda: None)
    with Engine(store, registry) as engine:
        engine.rate("api", 2, per=3600)
        first, second = engine.add_many(
            [new_step("v1/send", rate_key="api"), new_step("v1/send", rate_key="api")]
        )
        wait_for(lambda: engine.tally.done == 1)
        left = second if engine.get(first).ended_as else first
        (rate,) = engine.controls()
        at = f"{rate.next_free_at:%Y-%m-%d %H:%M:%S} UTC"
        expected = f"The rate of 'api' is 2 in 3600 s: the next begins at {at}."
        assert engine.explain(left) == expected


@pytest.mark.parametrize("fields", [{}, {"limit_key": "k"}, {"rate_key": "k"}])
def test_explain_of_a_step_that_nothing_holds_up_is_as_before(
    store: Store, fields: dict[str, Any]
) -> None:
    client = StepClient(store)
    step_id = client.add(new_step("v1/x", **fields))
    assert client.explain(step_id).endswith("and no engine is running on this store.")
