"""Real processes, killed, frozen and cut off while they claim by row locks (R12-R15)."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from tests.chaos.conftest import Process
from tests.engine.signals import wait_for

from stepwell import StepClient, StepStatus, new_step
from stepwell.stores.moves import LOST_LIMIT, LOST_TOO_OFTEN
from stepwell.stores.protocol import Store

PROGRAM = Path(__file__).with_name("bursting.py")
Start = Callable[..., Process]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("url", ["postgres"], indirect=True),
]

TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'
"""
"""Ends the connections of bursts that wait for their steps."""


@pytest.fixture
def bursting() -> Iterator[Start]:
    """Starts engines that claim by lock; all are gone after the test."""
    started: list[Process] = []

    def start(url: str, seconds: float, *more: str) -> Process:
        started.append(Process(url, seconds, PROGRAM, *more))
        started[-1].wait_for("engine.started")
        return started[-1]

    yield start
    for process in started:
        process.end()


def patient(url: str) -> str:
    """The address for an engine whose transactions the database does not end while it waits."""
    return f"{url}&options=-c%20idle_in_transaction_session_timeout%3D120s"


def all_done(client: StepClient, number: int) -> bool:
    """Whether so many are done, and nothing else is there."""
    counts = client.count()
    return (counts.ready, counts.done, counts.failed) == (0, number, 0)


def test_the_steps_of_a_killed_burst_run_elsewhere_without_waiting_for_a_burial(
    url: str, store: Store, bursting: Start
) -> None:
    """Promise 1: the database frees its locks as soon as the connection is gone."""
    client = StepClient(store)
    first = bursting(patient(url), 90.0)
    client.add_many(new_step("v1/work", number) for number in range(12))
    first.wait_for("begin")
    assert client.search(claimed=True) == []
    first.signal(signal.SIGKILL)
    first.child.wait()
    bursting(patient(url), 0.01, "undying")
    wait_for(lambda: all_done(client, 12))
    rows = client.search(status=StepStatus.DONE)
    assert {(step.execution_count, step.lost_count, step.claim_no) for step in rows} == {(1, 0, 1)}


def test_a_waiting_engine_finds_the_steps_of_a_killed_burst(
    url: str, store: Store, bursting: Start
) -> None:
    """Though nobody tells it that they are free, and it saw none while they were locked: it looks
    when it has seen the death."""
    client = StepClient(store)
    first = bursting(patient(url), 90.0)
    client.add_many(new_step("v1/work", number) for number in range(4))
    first.wait_for("begin")
    bursting(url, 0.01, "unasked")
    first.signal(signal.SIGKILL)
    wait_for(lambda: all_done(client, 4))


def test_the_outcomes_of_a_frozen_burst_are_refused_when_it_wakes(
    url: str, store: Store, bursting: Start
) -> None:
    """R12, R14: the database has ended its transaction meanwhile, and another has run them."""
    client = StepClient(store)
    zombie = bursting(url, 300.0)
    step_id = client.add(new_step("v1/work", 1))
    zombie.wait_for("begin 1")
    zombie.signal(signal.SIGSTOP)
    other = bursting(url, 0.01)
    other.wait_for("end 1")
    wait_for(lambda: all_done(client, 1))
    settled = client.get(step_id)
    zombie.signal(signal.SIGCONT)
    zombie.let_go()
    zombie.wait_for("step.refused")
    assert client.get(step_id) == settled
    assert client.search(claimed=True) == []


def test_a_frozen_engine_that_wakes_leaves_nothing_marked_in_the_name_of_the_dead(
    url: str, store: Store, bursting: Start
) -> None:
    """R11: whatever it still holds is run by whoever lives, itself under a new id included."""
    client = StepClient(store)
    zombie = bursting(url, 0.5)
    bystander = bursting(url, 0.5)
    client.add_many(new_step("v1/work", number) for number in range(40))
    zombie.wait_for("begin")
    zombie.signal(signal.SIGSTOP)
    bystander.wait_for("engine.buried")
    zombie.signal(signal.SIGCONT)
    zombie.wait_for("engine.declared_dead")
    wait_for(lambda: all_done(client, 40))


def test_a_burst_whose_connection_is_ended_is_settled_on_another_one(
    url: str, store: Store, bursting: Start
) -> None:
    """And its steps do not begin again: there is nobody else, and it holds them."""
    client = StepClient(store)
    process = bursting(patient(url), 300.0)
    client.add_many(new_step("v1/work", number) for number in range(4))
    process.wait_for("begin")
    with psycopg.connect(url, autocommit=True) as admin:
        wait_for(lambda: admin.execute(TERMINATE).fetchall())
    process.let_go(4)
    wait_for(lambda: all_done(client, 4))
    process.signal(signal.SIGTERM)
    begun = [line for line in process.all_lines() if line.startswith("begin")]
    assert len(begun) == len(set(begun)) == 4
    assert {step.execution_count for step in client.search()} == {1}


def test_a_step_that_kills_its_engine_fails_after_a_bounded_number_of_deaths(
    url: str, store: Store, bursting: Start
) -> None:
    """R15: the first death, of an engine that was trusted, leaves no trace if it comes before the
    burst is over, which lasts a millisecond; the others do."""
    client = StepClient(store)
    first = bursting(url, 0.0)
    client.add_many(new_step("v1/work", number) for number in range(400))
    wait_for(lambda: all_done(client, 400))
    step_id = client.add(new_step("v1/poison"))
    first.child.wait(90)
    deaths = 1
    while client.get(step_id).status is StepStatus.READY:
        assert deaths <= 1 + LOST_LIMIT
        process = bursting(url, 0.0)
        wait_for(partial(is_over, process, client, step_id))
        deaths += process.child.poll() is not None
    step = client.get(step_id)
    assert (step.status, step.description) == (StepStatus.FAILED, LOST_TOO_OFTEN)
    assert deaths in {LOST_LIMIT, 1 + LOST_LIMIT}


def is_over(process: Process, client: StepClient, step_id: UUID) -> bool:
    """Whether the process has died, or the step has failed."""
    return process.child.poll() is not None or client.get(step_id).status is StepStatus.FAILED
