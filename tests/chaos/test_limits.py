"""The slots of real processes, one of which is killed (R20)."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from tests.chaos.conftest import Process

from stepwell import StepClient, StepStatus, new_step
from stepwell.stores.protocol import Store

pytestmark = pytest.mark.slow

Start = Callable[[str, float], Process]
SLOTS = 2


def test_the_slots_of_a_killed_process_are_free_when_it_is_buried_and_never_exceeded(
    url: str, store: Store, engine_process: Start
) -> None:
    client = StepClient(store)
    first = engine_process(url, 300.0)
    client.add_many(new_step("v1/work", n, limit_key="smtp", limit_slots=SLOTS) for n in range(20))
    for _ in range(SLOTS):
        first.wait_for("begin")
    assert _taken(client) == SLOTS
    others = [engine_process(url, 0.02) for _ in range(2)]
    assert _taken(client) <= SLOTS  # fewer where they took a slow machine's engine for dead
    first.signal(signal.SIGKILL)
    killed, most = time.monotonic(), SLOTS
    while client.count(status=StepStatus.DONE).done < 20:
        assert time.monotonic() < killed + 90, "the slots stayed taken"
        most = max(most, _taken(client))
        time.sleep(0.003)
    assert most == SLOTS
    for other in others:
        other.signal(signal.SIGTERM)
        assert other.child.wait(90) == 0


def _taken(client: StepClient) -> int:
    return client.count(limit_key="smtp", claimed=True, status=StepStatus.READY).ready
