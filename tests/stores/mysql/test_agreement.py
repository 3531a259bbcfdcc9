"""The MySQL store does what the memory store does, after any verbs in any order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from tests.stores.test_agreement import Script, answer, rows

from stepwell.step import Step
from stepwell.stores.memory import MemoryStore
from stepwell.stores.mysql import MySQLStore
from stepwell.stores.protocol import Store
from stepwell.testing.clock import VirtualClock


def on_clock(store: MySQLStore, clock: VirtualClock) -> None:
    """Let the server's clock show the virtual one in every transaction of the store."""
    lend = store._connections.lend

    @contextmanager
    def lend_at() -> Iterator[pymysql.Connection]:
        with lend() as connection:
            connection.query(f"SET timestamp = {clock.now().timestamp():.6f}")
            yield connection

    connections: Any = store._connections
    connections.lend = lend_at


def unparked(store: Store) -> list[Step]:
    """The rows, whether they are parked or not: here only what is in the way is (R19)."""
    return [replace(step, parked=False) for step in rows(store)]


@pytest.mark.parametrize("seed", range(6))
def test_both_stores_agree_after_every_verb(store: MySQLStore, seed: int) -> None:
    clock = VirtualClock()
    memory = MemoryStore(clock)
    on_clock(store, clock)
    for verb in Script(seed, clock).verbs(120):
        expected = answer(memory, verb)
        assert answer(store, verb) == expected
        assert unparked(store) == unparked(memory)
