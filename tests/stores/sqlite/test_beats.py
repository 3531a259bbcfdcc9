"""A beat commits, and is no news: the engines of the process do not look because of it."""

from __future__ import annotations

import os
import sqlite3
import time
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
    with store.transaction() as tx:
        tx.add([addition()])


def addition() -> Addition:
    at = now()
    return Addition(
        Step(id=new_id(), name="v1/a", flow_id=new_id(), created_at=at, schedule_time=at)
    )


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


def test_what_is_seen_before_it_can_be_read_is_heard_again(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    joined(sqlite_store)
    wake, other = calm(sqlite_store), SQLiteStore(sqlite_path)
    with other.transaction() as tx:
        tx.add([addition()])
        written(sqlite_path)
        assert wake.wait(MOMENT)
        assert wake.wait(MOMENT)  # it could not be read yet
        during = time.monotonic()
        assert wake.wait(90)
        assert time.monotonic() - during < 45
    assert wake.wait(MOMENT)
    assert not wake.wait(MOMENT)
    other.close()


def test_a_beat_does_not_hide_what_is_about_to_be_committed(
    sqlite_store: SQLiteStore, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log shows it, the version of the data does not."""
    engine, wake = joined(sqlite_store), calm(sqlite_store)
    other, looks = sqlite3.connect(sqlite_path, isolation_level=None), 0

    def look(log: Path) -> Sight:
        nonlocal looks
        looks += 1
        if looks == 2:  # the beat has just been committed
            other.execute("BEGIN IMMEDIATE")
            written(sqlite_path)
        return sight(log)

    monkeypatch.setattr(module, "sight", look)
    beat(sqlite_store, engine)
    other.execute("ROLLBACK")
    other.close()
    assert wake.wait(MOMENT)


def written(path: Path) -> None:
    """The log as it is while the disk is waited for."""
    log = path.with_name(path.name + "-wal")
    later = log.stat().st_mtime_ns + 1_000_000
    os.utime(log, ns=(later, later))
