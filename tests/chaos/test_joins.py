"""Real processes, killed while they hold members of a join (R28)."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from tests.chaos.conftest import Process
from tests.engine.signals import wait_for

from stepwell import StepClient, new_step
from stepwell.stores.protocol import Store

pytestmark = pytest.mark.slow

Start = Callable[[str, float], Process]


def test_the_members_of_a_killed_engine_end_elsewhere_and_each_counts_once(
    url: str, store: Store, engine_process: Start
) -> None:
    """The engine dies with members done, running and waiting; another one goes on."""
    client = StepClient(store)
    first = engine_process(url, 300.0)
    client.add(new_step("v1/fan", 12))
    first.wait_for("begin")
    first.let_go()
    first.signal(signal.SIGKILL)
    second = engine_process(url, 0.001)
    second.wait_for("engine.buried")
    assert second.wait_for("joined") == f"joined {list(range(12))}"
    wait_for(lambda: client.count(name="v1/join").done == 1)
    (join,) = client.search(name="v1/join")
    assert json.loads(join.result or "") == list(range(12))
    assert (join.execution_count, join.waiting_for) == (1, 0)
    assert client.count(name="v1/work").done == 12


def test_a_frozen_engine_that_wakes_counts_no_member_again(
    url: str, store: Store, engine_process: Start
) -> None:
    """R12: the member it held has ended elsewhere while it slept; the join waits for one more."""
    client = StepClient(store)
    zombie = engine_process(url, 300.0)
    members = [new_step("v1/work", 1), new_step("v1/elsewhere")]
    *_, join_id = client.add_many(members, then=new_step("v1/join"))
    zombie.wait_for("begin 1")
    zombie.signal(signal.SIGSTOP)
    other = engine_process(url, 0.01)
    other.wait_for("end 1")
    wait_for(lambda: client.get(join_id).waiting_for == 1)
    zombie.signal(signal.SIGCONT)
    zombie.let_go()
    zombie.wait_for("step.refused")
    assert client.get(join_id).waiting_for == 1
