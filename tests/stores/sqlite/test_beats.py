"""A beat commits, and is no news: the engines of the process do not look because of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import Addition, Step
from stepwell.stores.protocol import EngineInfo, Wake
from stepwell.stores.sqlite import SQLiteStore
from stepwell.stores.sqlite import store as module
from stepwell.stores.sqlite.wake import Sight, sight

MOMENT = 0.1


def joined(store: SQLiteStore) -> EngineInfo:
    """An engine whose joining is old news."""
    names = ("v1/a",)
    info = EngineInfo(id=new_id(), name="e", version="1", handles=names, queues=("default",))
    with store.transaction() as tx:
        tx.join(info)
    return info


def calm(store: SQLiteStore) -> Wake:
    wake = store.wake()
    while wake.wait(MOMENT):
        pass
    return wake


def beat(store: SQLiteStore, engine: EngineInfo) -> None:
    with store.transaction() as tx:
        tx.beat(engine.id, [])


def add(store: SQLiteStore) -> None:
    step = Step(id=new_id(), name="v1/a", flow_id=new_id(), created_at=now(), schedule_time=now())
    with store.transaction() as tx:
        tx.add([Addition(step)])


def test_a_beat_wakes_nobody_of_its_process(sqlite_store: SQLiteStore) -> None:
    engine = joined(sqlite_store)
    wakes = [calm(sqlite_store), calm(sqlite_store)]
    for _ in range(3):
        beat(sqlite_store, engine)
        assert [wake.wait(MOMENT) for wake in wakes] == [False, False]
    add(sqlite_store)
    assert [wake.wait(MOMENT) for wake in wakes] == [True, True]


@pytest.mark.parametrize("place", ["before", "after"])
def test_what_others_commit_beside_a_beat_is_heard(
    sqlite_store: SQLiteStore, sqlite_path: Path, place: str
) -> None:
    engine, wake, other = joined(sqlite_store), calm(sqlite_store), SQLiteStore(sqlite_path)
    if place == "before":
        add(other)
    beat(sqlite_store, engine)
    if place == "after":
        add(other)
    assert wake.wait(MOMENT)
    other.close()


def test_what_others_commit_between_a_beat_and_the_look_at_it_is_heard(
    sqlite_store: SQLiteStore, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, wake, other = joined(sqlite_store), calm(sqlite_store), SQLiteStore(sqlite_path)
    looks: list[Path] = []

    def look(log: Path) -> Sight:
        looks.append(log)
        if len(looks) == 2:  # the beat has just been committed
            add(other)
        return sight(log)

    monkeypatch.setattr(module, "sight", look)
    beat(sqlite_store, engine)
    assert wake.wait(MOMENT)
    assert len(looks) == 2
    other.close()
