"""The virtual engine runs on every store that takes its clock."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stepwell import Registry, RetryPolicy, Step, StepQuery, done, new_step
from stepwell.engine.tally import Tally
from stepwell.errors import InvalidInput, NotSupported
from stepwell.step import StepStatus
from stepwell.stores.memory import MemoryStore
from stepwell.stores.sqlite import SQLiteStore
from stepwell.testing.clock import VirtualClock
from stepwell.testing.virtual import VirtualEngine


@pytest.fixture
def registry() -> Registry:
    return Registry()


def sqlite(path: Path, clock: VirtualClock) -> SQLiteStore:
    store = SQLiteStore(path, clock)
    store.migrate()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE booking (amount INTEGER)")
    connection.close()
    return store


def test_a_handler_with_a_connection_runs_on_sqlite(tmp_path: Path, registry: Registry) -> None:
    """Its writes commit with its step, or not at all (R26)."""
    clock = VirtualClock()
    store = sqlite(tmp_path / "app.db", clock)

    @registry.handler("v1/book", retry=RetryPolicy(delays=(60.0,)))
    def book(step: Step, state: int, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO booking VALUES (?)", [state])
        if step.failure_count == 0:
            raise ConnectionError

    with VirtualEngine(registry, store=store, clock=clock) as engine:
        engine.add(new_step("v1/book", 10))
        assert engine.drain() == Tally(retried=1)
        assert engine.advance(minutes=1) == Tally(done=1)
    with store.transaction() as tx:
        assert tx.count(StepQuery()).done == 1
    connection = sqlite3.connect(tmp_path / "app.db")
    assert connection.execute("SELECT * FROM booking").fetchall() == [(10,)]
    connection.close()
    store.close()


def test_a_handler_with_a_connection_needs_a_store_that_has_one(registry: Registry) -> None:
    registry.add(lambda connection: None, "v1/book")
    with pytest.raises(NotSupported):
        VirtualEngine(registry)


def test_a_store_on_another_clock_is_refused(registry: Registry) -> None:
    engine = VirtualEngine(registry, store=MemoryStore())
    with pytest.raises(InvalidInput, match="with the clock of the engine"):
        engine.drain()


def test_a_closed_engine_has_left_its_store(registry: Registry) -> None:
    clock = VirtualClock(datetime(2030, 1, 1, tzinfo=UTC))
    store = MemoryStore(clock)
    registry.add(lambda: done("ok"), "v1/x")
    with VirtualEngine(registry, store=store, clock=clock) as engine:
        step = engine.add(new_step("v1/x"))
        engine.drain()
    assert engine.get(step).ended_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert engine.get(step).status is StepStatus.DONE
    assert not store._tables.engines
