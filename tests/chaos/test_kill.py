"""Real processes, killed and frozen in the middle of their work."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from tests.chaos.conftest import Process
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, StepClient, StepStatus, new_step
from stepwell.engine.heartbeat import DEAD_AFTER
from stepwell.stores.inspecting import Inspectable
from stepwell.stores.protocol import Store

pytestmark = pytest.mark.slow

Start = Callable[[str, float], Process]


def test_after_kill_9_the_steps_run_elsewhere_within_ten_seconds_and_none_is_lost(
    url: str, store: Store, engine_process: Start
) -> None:
    """Promise 1. 10 s by R10 on a quiet machine; on a noisy one a reading may come so late that
    what was seen before counts for nothing, and the 8 s begin anew. But nobody is taken for dead
    before they are over, wherever the machine stands still."""
    client = StepClient(store)
    first = engine_process(url, 300.0)
    client.add_many(new_step("v1/work", n) for n in range(6))
    first.wait_for("begin")
    second = engine_process(url, 0.01)
    alive = _wait_for_a_beat(store, first)
    first.signal(signal.SIGKILL)
    second.wait_for("engine.buried")
    assert time.monotonic() - alive >= DEAD_AFTER
    _wait_until_done(client, 6)
    assert client.count(status=StepStatus.READY).ready == 0


def test_a_patient_drain_runs_what_a_killed_engine_held(
    url: str, store: Store, engine_process: Start
) -> None:
    """It is due again when that engine is known to be dead: whoever drains after a crash waits."""
    registry, ran = Registry(), list[int]()

    @registry.handler("v1/work")
    def work(state: int) -> None:
        ran.append(state)

    killed = engine_process(url, 300.0)
    StepClient(store).add_many(new_step("v1/work", n) for n in range(3))
    killed.wait_for("begin")
    killed.signal(signal.SIGKILL)
    assert Engine(store, registry).drain(patience=90.0).done == 3
    assert sorted(ran) == [0, 1, 2]


def test_a_frozen_engine_that_wakes_cannot_commit(
    url: str, store: Store, engine_process: Start
) -> None:
    """Promise 3, R12, R14: its claims were taken while it slept."""
    client = StepClient(store)
    zombie = engine_process(url, 300.0)
    step_id = client.add(new_step("v1/work", 1))
    zombie.wait_for("begin 1")
    zombie.signal(signal.SIGSTOP)
    other = engine_process(url, 0.01)
    other.wait_for("end 1")
    _wait_until_done(client, 1)
    settled = client.get(step_id)
    zombie.signal(signal.SIGCONT)
    zombie.let_go()
    zombie.wait_for("step.refused")
    assert client.get(step_id) == settled


def test_sigterm_ends_gracefully_and_gives_back_what_has_not_started(
    url: str, store: Store, engine_process: Start
) -> None:
    """Promise 10."""
    client = StepClient(store)
    process = engine_process(url, 0.5)
    client.add_many(new_step("v1/work", n) for n in range(12))
    process.wait_for("begin")
    process.signal(signal.SIGTERM)
    assert process.child.wait(90) == 0
    ready = client.search(status=StepStatus.READY)
    assert all(step.claimed_by is None and step.lost_count == 0 for step in ready)
    assert client.count().done + len(ready) == 12


def _wait_until_done(client: StepClient, number: int) -> None:
    wait_for(lambda: client.count(status=StepStatus.DONE).done >= number)


def _wait_for_a_beat(store: Store, process: Process) -> float:
    """Until it has beaten; when it was looked at last and had not yet, in monotonic seconds."""
    assert isinstance(store, Inspectable)
    looks = [time.monotonic()]
    before = _beats(store, process)

    def beaten() -> bool:
        looks.append(time.monotonic())
        return _beats(store, process) != before

    wait_for(beaten)
    return looks[-2]


def _beats(store: Inspectable, process: Process) -> list[int]:
    mine = f":{process.child.pid}"
    return [one.beat for one in store.inspect().engines if one.name.endswith(mine)]
