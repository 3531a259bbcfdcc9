"""Real processes, killed and frozen inside the transaction of a handler (R26)."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
from tests.chaos.conftest import Process
from tests.engine.signals import wait_for
from tests.stores.mysql.support import connect

from stepwell import StepClient, new_step
from stepwell.stores import open_store
from stepwell.stores.protocol import Store

pytestmark = pytest.mark.slow

Start = Callable[[str, float], Process]


@pytest.fixture
def orders(url: str, store: Store) -> Callable[[], list[int]]:
    """What the handlers' table holds now, as others see it."""
    _run(url, "CREATE TABLE orders (number integer)")
    return lambda: [row[0] for row in _run(url, "SELECT number FROM orders ORDER BY number")]


def _connected(url: str) -> Any:
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"))
    return connect(url) if url.startswith("mysql") else psycopg.connect(url)


def _run(url: str, sql: str) -> list[Any]:
    with closing(_connected(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        rows = list(cursor.fetchall()) if cursor.description else []
        connection.commit()
        return rows


def test_kill_9_within_a_handler_leaves_nothing_and_the_rerun_doubles_nothing(
    url: str, store: Store, engine_process: Start, orders: Callable[[], list[int]]
) -> None:
    client = StepClient(store)
    first = engine_process(url, 300.0)
    client.add_many(new_step("v1/once", n) for n in range(4))
    first.wait_for("begin")
    assert orders() == []
    first.signal(signal.SIGKILL)
    second = engine_process(url, 0.01)
    second.wait_for("engine.buried")
    wait_for(lambda: client.count(name="v1/once").done == 4)
    assert orders() == [0, 1, 2, 3]


def test_a_frozen_process_that_wakes_commits_nothing_of_its_handler(
    postgres_database: Callable[[], str], engine_process: Start
) -> None:
    """R12: its engine was buried while it slept; nobody waited for its transaction."""
    url = postgres_database()
    store = open_store(url)
    store.migrate()
    _run(url, "CREATE TABLE orders (number integer)")
    client = StepClient(store)
    zombie = engine_process(url, 300.0)
    client.add(new_step("v1/once", 1))
    zombie.wait_for("begin 1")
    zombie.signal(signal.SIGSTOP)
    other = engine_process(url, 0.01)
    other.wait_for("engine.buried")
    zombie.signal(signal.SIGCONT)
    zombie.let_go()
    zombie.wait_for("step.refused")
    zombie.signal(signal.SIGUSR1)  # it may be the one that runs the step again
    wait_for(lambda: client.count(name="v1/once").done == 1)
    assert [row[0] for row in _run(url, "SELECT number FROM orders")] == [1]
    store.close()
