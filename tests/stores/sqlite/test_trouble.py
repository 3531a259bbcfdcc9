"""A file that is locked, full or gone is a pause; wrong data is the caller's (promise 7, R16)."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from stepwell.clock import now
from stepwell.errors import SettlementRejected, StoreUnavailable
from stepwell.ids import new_id
from stepwell.step import Addition, Step, StepQuery
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore, connections, statements


def step(**fields: Any) -> Step:
    row = {"id": new_id(), "name": "v1/a", "flow_id": new_id()}
    return Step(**row | {"created_at": now(), "schedule_time": now()} | fields)  # type: ignore[arg-type]


def add(store: Store, *steps: Step) -> None:
    with store.transaction() as tx:
        tx.add([Addition(one) for one in steps])


def count(store: Store) -> int:
    with store.transaction() as tx:
        return tx.count(StepQuery()).ready


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_writer_waits_for_another_one(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    waiting = threading.Thread(target=add, args=(sqlite_store, step()))
    with locked(sqlite_path):
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
    waiting.join(90)
    assert count(sqlite_store) == 1


def test_a_file_locked_for_too_long_is_a_pause(
    sqlite_path: Path, sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    impatient = SQLiteStore(sqlite_path)
    with locked(sqlite_path), pytest.raises(StoreUnavailable, match="database is locked"):
        add(impatient, step())
    add(impatient, step())
    assert count(impatient) == 1
    impatient.close()


def test_reading_waits_for_no_writer(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    add(sqlite_store, step())
    with locked(sqlite_path):
        assert count(sqlite_store) == 1


def test_a_transaction_in_a_transaction_says_what_is_wrong(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "WRITER_SECONDS", 0.05)
    with sqlite_store.transaction() as tx:
        tx.add([Addition(step())])
        with pytest.raises(StoreUnavailable, match="open already"):
            add(sqlite_store, step())
    assert count(sqlite_store) == 1


def test_a_full_disk_is_a_pause(sqlite_store: SQLiteStore) -> None:
    add(sqlite_store, step())
    with sqlite_store.transaction() as tx:
        (pages,) = tx._sql.execute("PRAGMA page_count").fetchone()
        tx._sql.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = [step(state='"' + "x" * 4000 + '"') for _ in range(50)]
    with pytest.raises(StoreUnavailable, match="full"):
        add(sqlite_store, *big)
    add(sqlite_store, *big)
    assert count(sqlite_store) == 51


def test_a_file_that_is_gone_is_a_pause_and_is_not_made_anew(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    sqlite_store.close()
    away = sqlite_path.rename(sqlite_path.with_suffix(".away"))
    with pytest.raises(StoreUnavailable, match="unable to open"):
        count(sqlite_store)
    assert not sqlite_path.exists()
    away.rename(sqlite_path)
    assert count(sqlite_store) == 0


def test_a_damaged_file_is_no_traceback_of_the_driver(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    sqlite_store.close()
    sqlite_path.write_bytes(sqlite_path.read_bytes()[:4096] + os.urandom(8192))
    with pytest.raises(StoreUnavailable):
        count(sqlite_store)


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "\ud800"},
        {"state": "a\x00b"},
        {"state": b"bytes"},
        {"result": b"bytes"},
        {"result": object()},
        {"failure_count": 2**70},
        {"name": None},
    ],
    ids=["surrogate", "NUL", "bytes in an array", "bytes", "object", "too large", "null"],
)
def test_data_that_cannot_be_kept_is_rejected_and_nothing_is_kept(
    sqlite_store: SQLiteStore, wrong: dict[str, Any]
) -> None:
    with pytest.raises(SettlementRejected):
        add(sqlite_store, step(), step(**wrong))
    assert count(sqlite_store) == 0
    add(sqlite_store, step())


def test_after_a_fork_the_child_has_connections_of_its_own(sqlite_store: SQLiteStore) -> None:
    add(sqlite_store, step())
    parents = list(sqlite_store._connections._idle)
    own, child = False, os.fork()
    if child == 0:
        try:
            add(sqlite_store, step())
            own = not any(one in parents for one in sqlite_store._connections._idle)
        finally:
            os._exit(0 if own and count(sqlite_store) == 2 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert sqlite_store._connections._idle == parents
    assert count(sqlite_store) == 2


def test_a_store_that_was_closed_can_be_used_again(sqlite_store: SQLiteStore) -> None:
    add(sqlite_store, step())
    sqlite_store.close()
    assert count(sqlite_store) == 1


def test_closing_leaves_one_file(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    add(sqlite_store, step())
    sqlite_store.close()
    assert [path.name for path in sqlite_path.parent.iterdir()] == [sqlite_path.name]
