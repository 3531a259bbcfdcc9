"""Limits on PostgreSQL, where an engine that has warmed up claims other steps by lock alone."""

from __future__ import annotations

import threading

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, StepStatus, new_step
from stepwell.stores.postgres import PostgresStore


@pytest.mark.usefixtures("patient")
def test_limited_steps_keep_their_slots_beside_steps_that_are_claimed_by_lock(
    postgres_steps: str, registry: Registry
) -> None:
    store, other_store = PostgresStore(postgres_steps), PostgresStore(postgres_steps)
    lock, full, running, most = threading.Lock(), threading.Event(), 0, 0
    registry.handler("v1/plain")(lambda: None)

    @registry.handler("v1/send")
    def send() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 3:
                full.set()
        assert full.wait(90)  # the first three are to be there at once
        threading.Event().wait(0.002)
        with lock:
            running -= 1

    with Engine(store, registry) as one, Engine(other_store, registry) as other:
        one.limit("smtp", 3)
        for _ in range(10):
            one.add_many(new_step("v1/plain") for _ in range(200))
            one.add_many(new_step("v1/send", limit_key="smtp") for _ in range(15))
        wait_for(lambda: one.tally.done + other.tally.done == 2150)
        assert one.tally.refused + other.tally.refused == 0
    assert most == 3
    assert one.count(status=StepStatus.READY).ready == 0
    for each in (store, other_store):
        each.close()
