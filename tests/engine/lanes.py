"""The stores that an engine's pipeline runs on, each with the way in which it claims there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from stepwell import Engine, Step
from stepwell.engine import bursts, relay, worker
from stepwell.errors import StoreUnavailable
from stepwell.step import StepQuery
from stepwell.stores.memory import MemoryStore
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Burial, Store
from stepwell.stores.sqlite import SQLiteStore

EMPTY = """
    DELETE FROM stepwell_ready; DELETE FROM stepwell_done; DELETE FROM stepwell_failed;
    DELETE FROM stepwell_engines; DELETE FROM stepwell_controls;
"""
WRITTEN = "postgres, in writing"
LOCKED = "postgres, by lock"
RELAYED = "postgres, two bursts in turns"
LANES = ("memory", "sqlite", WRITTEN, LOCKED, RELAYED)
Open = Callable[[], Store]


@pytest.fixture(params=LANES)
def lane(request: pytest.FixtureRequest) -> str:
    """Where the steps are, and how they are claimed; tests of some lanes have one of their own."""
    return str(request.param)


@pytest.fixture
def open_lane(
    lane: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    patient: None,
) -> Iterator[Open]:
    """Opens store objects on the same steps; what stays in memory has one only.

    In the lane `LOCKED` an engine claims by row locks, as one that is alone does, in `RELAYED`
    by two bursts as soon as one is full, which it soon is; in `WRITTEN` it never does.
    """
    if lane in (LOCKED, RELAYED):
        monkeypatch.setattr(worker, "TRUSTED", 0)
    if lane == WRITTEN:
        monkeypatch.setattr(worker.Worker, "_by_lock", lambda self: False)
    if lane == RELAYED:
        monkeypatch.setattr(bursts, "MOST", 1)
        monkeypatch.setattr(relay, "BRIEF", float("inf"))
    with ExitStack() as opened:
        yield _opener(lane, request, tmp_path, opened)


@pytest.fixture
def store(open_lane: Open) -> Store:
    """One store object."""
    return open_lane()


def _opener(lane: str, request: pytest.FixtureRequest, tmp_path: Path, opened: ExitStack) -> Open:
    def keep(store: Store) -> Store:
        store.migrate()
        opened.callback(store.close)
        return store

    if lane == "memory":
        only = keep(MemoryStore())
        return lambda: only
    if lane == "sqlite":
        return lambda: keep(SQLiteStore(tmp_path / "steps.db"))
    url: str = request.getfixturevalue("postgres_steps")
    with psycopg.connect(url) as connection:
        connection.execute(EMPTY)
    return lambda: keep(PostgresStore(url))


def row(store: Store, step: Step) -> Step:
    """The row as others see it now."""
    with store.transaction() as tx:
        (found,) = tx.search(StepQuery(ids=(step.id,)))
    return found


def has_done(engine: Engine, number: int) -> bool:
    """Whether so many steps are done."""
    return engine.tally.done >= number


def lives_on(engine: Engine, before: UUID | None) -> bool:
    """Whether it goes by another id."""
    return engine.id != before


def bury(store: Store, engine: Engine) -> Burial:
    """Declare the engine dead, at the beat that it shows."""
    assert engine.id is not None
    while True:
        try:
            with store.transaction() as tx:
                burial = tx.bury(engine.id, tx.beat(engine.id, []).beats[engine.id])
            if burial is not None:
                return burial  # else it has beaten meanwhile
        except StoreUnavailable:  # it is alive, and locks its rows in an order of its own
            pass
