"""The outbox: an order and its mail, both or neither, and one mail whoever dies."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from patterns.outbox import TABLE, build, order

from stepwell import StepClient, new_step
from stepwell.stores.sqlite import SQLiteStore
from stepwell.testing.clock import VirtualClock
from stepwell.testing.crashing import crash_everywhere
from stepwell.testing.effects import Effects
from stepwell.testing.virtual import VirtualEngine


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute(TABLE)
        yield connection


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    made = SQLiteStore(tmp_path / "shop.db", VirtualClock())
    made.migrate()
    yield made
    made.close()


def test_an_order_that_is_kept_is_confirmed(shop: sqlite3.Connection, store: SQLiteStore) -> None:
    sent: list[str] = []
    clock = VirtualClock()
    engine = VirtualEngine(build(lambda _, to: sent.append(to)), store=store, clock=clock)
    with shop:
        order(engine, shop, 1, "ada@example.org")
    assert engine.drain().done == 1
    assert sent == ["ada@example.org"]


def test_an_order_that_is_rolled_back_leaves_no_mail(
    shop: sqlite3.Connection, store: SQLiteStore
) -> None:
    steps = StepClient(store)
    with shop:
        order(steps, shop, 1, "ada@example.org")
    order(steps, shop, 2, "emmy@example.org")
    with pytest.raises(sqlite3.IntegrityError), shop:  # which rolls back
        order(steps, shop, 1, "twice")
    assert shop.execute("select count(*) from orders").fetchone() == (1,)
    assert steps.count().ready == 1


def test_one_mail_is_sent_wherever_the_engine_dies() -> None:
    effects = Effects()
    registry = build(lambda key, to: effects.record("mail", to, key=key))

    def flow(engine: VirtualEngine) -> None:
        engine.add(new_step("v1/confirm", {"customer": "ada@example.org"}))
        engine.drain()

    crash_everywhere(flow, registry, effects=effects).assert_effects_once()
