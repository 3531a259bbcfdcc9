"""What adding does: within another transaction, of the only one of its kind, as a copy."""

from __future__ import annotations

import pytest
from tests.engine.behaviours.conftest import Lend

from stepwell import Engine, Outcome, Registry, StepClient, StepStatus, done, fail, new_step
from stepwell.errors import UniqueKeyTaken
from stepwell.step import Priority, Retention, Step, StepQuery
from stepwell.stores.protocol import Store


def test_two_steps_added_in_one_outer_transaction_both_run(
    store: Store, registry: Registry, lend: Lend
) -> None:
    registry.handler("v1/x")(lambda: None)
    engine = Engine(store, registry)
    with lend() as connection:
        engine.add(new_step("v1/x", 1), connection=connection)
        engine.add(new_step("v1/x", 2), connection=connection)
    assert engine.drain().done == 2


def test_of_an_outer_transaction_that_is_rolled_back_neither_step_runs(
    store: Store, registry: Registry, lend: Lend
) -> None:
    registry.handler("v1/x")(lambda: None)
    engine = Engine(store, registry)
    with lend() as connection:
        engine.add(new_step("v1/x", 1), connection=connection)
        engine.add(new_step("v1/x", 2), connection=connection)
        connection.rollback()
    assert engine.drain().executed == 0
    assert engine.count().ready == 0


def test_two_identical_singletons_in_one_add_fail_as_a_whole(store: Store) -> None:
    client = StepClient(store)
    twins = [new_step("v1/only", singleton=True), new_step("v1/only", singleton=True)]
    with pytest.raises(UniqueKeyTaken):
        client.add_many([new_step("v1/other"), *twins])
    assert client.count().ready == 0


def test_the_second_of_two_identical_singletons_fails(store: Store) -> None:
    client = StepClient(store)
    first = client.add(new_step("v1/only", singleton=True))
    with pytest.raises(UniqueKeyTaken):
        client.add(new_step("v1/only", singleton=True))
    assert [step.id for step in client.search()] == [first]


def test_add_if_none_returns_nothing_for_the_second(store: Store) -> None:
    client, query = StepClient(store), StepQuery(name="v1/only", status=StepStatus.READY)
    first = client.add_if_none(new_step("v1/only", 1), query)
    assert first is not None
    assert client.add_if_none(new_step("v1/only", 2), query) is None
    assert [step.id for step in client.search()] == [first]


def test_a_singleton_may_be_added_anew_when_the_one_before_has_ended(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/only")(lambda: None)
    engine = Engine(store, registry)
    for _ in range(2):
        engine.add(new_step("v1/only", singleton=True))
        assert engine.drain().done == 1


def test_reexecution_makes_a_new_ready_step_with_all_that_r7_names(
    store: Store, registry: Registry
) -> None:
    registry.handler("v1/x")(lambda: fail("not today"))
    engine = Engine(store, registry)
    source_id = engine.add(
        new_step(
            "v1/x",
            {"order": 7},
            queue="default",
            priority=Priority.HIGH,
            unique_key="order-7",
            correlation_id="c",
            search_key="s",
            retention=Retention.LONG,
        )
    )
    engine.activate(source_id, {"by": "ada"})
    assert engine.drain().failed == 1
    (copy_id,) = engine.reexecute([source_id])
    source, copy = engine.get(source_id), engine.get(copy_id)
    assert copied(copy) == copied(source)
    assert (copy.status, copy.copy_of) == (StepStatus.READY, source_id)
    assert (copy.execution_count, copy.failure_count, copy.lost_count) == (0, 0, 0)
    assert (copy.result, copy.description, copy.ended_at) == (None, None, None)
    assert source.status is StepStatus.FAILED
    assert engine.drain().failed == 1  # it is due at once
    assert engine.get(copy_id).execution_count == 1


def test_a_step_that_exists_already_is_not_run_again_when_it_is_spawned(
    store: Store, registry: Registry
) -> None:
    """R1, also where an engine would take over what its own steps spawn (R21)."""
    ran: list[int] = []
    once = new_step("v1/once", 1)

    @registry.handler("v1/once")
    def run_once(state: int) -> None:
        ran.append(state)

    registry.handler("v1/spawn")(lambda: done(next=once))
    registry.handler("v1/twice")(lambda: done(next=[twin := new_step("v1/once", 2), twin]))
    engine = Engine(store, registry)
    engine.add_many([new_step("v1/spawn"), new_step("v1/spawn"), new_step("v1/twice")])
    engine.drain()
    engine.add(new_step("v1/spawn"))
    engine.drain()
    assert sorted(ran) == [1, 2]


def test_a_step_that_its_own_parent_has_added_is_not_run_twice(
    store: Store, registry: Registry
) -> None:
    """R1: the id was made in this execution, and is in the table all the same."""
    ran: list[int] = []

    @registry.handler("v1/once")
    def run_once(state: int) -> None:
        ran.append(state)

    @registry.handler("v1/both")
    def both(state: int) -> Outcome:
        once = new_step("v1/once", state)
        engine.add(once)
        return done(next=once)

    engine = Engine(store, registry)
    engine.add_many(new_step("v1/both", number) for number in range(50))
    tally = engine.drain()
    assert (tally.done, tally.failed) == (100, 0)
    assert sorted(ran) == list(range(50))


def copied(step: Step) -> tuple[object, ...]:
    """What a copy has of its source."""
    return (
        step.name,
        step.state,
        step.state_format,
        step.activation_args,
        step.flow_id,
        step.correlation_id,
        step.search_key,
        step.unique_key,
        step.queue,
        step.priority,
        step.retention,
    )
