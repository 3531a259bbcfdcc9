"""A server that died leaves a lock that the kernel has let go of: the next one need not wait."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.lives import Life
from stepwell.server.settings import Settings
from stepwell.step import Addition, Step
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import ClaimRequest, EngineInfo, Store

NAME = "v1/a"
HOLD = """
import sys
from pathlib import Path
from uuid import UUID
from stepwell.ids import new_id
from stepwell.server.lives import Life
from stepwell.stores.memory import MemoryStore
life = Life(Path(sys.argv[1]))
life.begin(MemoryStore(), UUID(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def joined(store: Store) -> UUID:
    info = EngineInfo(id=new_id(), name="e", version="1", handles=(NAME,), queues=("default",))
    with store.transaction() as tx:
        tx.join(info)
    return info.id


def claimed(store: Store, engine_id: UUID) -> bool:
    request = ClaimRequest(engine_id=engine_id, request_id=new_id(), names=(NAME,))
    with store.transaction() as tx:
        return bool(tx.claim(request).steps)


def add(store: Store) -> None:
    at = now()
    step = Step(id=new_id(), name=NAME, flow_id=new_id(), created_at=at, schedule_time=at)
    with store.transaction() as tx:
        tx.add([Addition(step)])


def holder(folder: Path, engine_id: UUID) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(engine_id)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_what_a_killed_server_had_claimed_is_free_as_soon_as_the_next_one_starts(
    store: MemoryStore, tmp_path: Path
) -> None:
    add(store)
    dead, own = joined(store), joined(store)
    assert claimed(store, dead)
    process = holder(tmp_path, dead)
    life = Life(tmp_path)
    life.begin(store, own)
    assert not claimed(store, own)  # it lives
    life.end()
    process.kill()
    process.wait()
    life.begin(store, own)
    assert claimed(store, own)
    assert [path.name for path in tmp_path.iterdir()] == [str(own)]


def test_a_server_that_is_only_starting_is_not_taken_for_dead(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one looks just before it has its lock."""
    add(store)
    one, other = joined(store), joined(store)
    assert claimed(store, one)
    lock, life, quicker = fcntl.flock, Life(tmp_path), Life(tmp_path)
    begun: list[Life] = []

    def late(*given: Any) -> None:
        if not begun:
            begun.append(quicker)
            quicker.begin(store, other)
        lock(*given)

    monkeypatch.setattr(fcntl, "flock", late)
    life.begin(store, one)
    assert not claimed(store, other)


def test_a_server_that_stops_leaves_no_lock(store: MemoryStore, tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.begin(store, joined(store))
    life.end()
    assert list(tmp_path.iterdir()) == []


def test_without_locks_the_heartbeat_decides(store: MemoryStore, tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    Life(no_folder / "engines").begin(store, joined(store))


def test_requests_are_let_in_before_the_engine_begins_to_judge_who_is_silent(
    tmp_path: Path,
) -> None:
    """R10: the engines of containers are heard by requests; those that waited for a restart of
    their server must be able to speak for all of the 8 s."""
    server = Server(Settings(data_dir=tmp_path), launchers={})
    server.db.migrate()
    seen: list[UUID | None] = []
    server.start(lambda: seen.append(server.engine.id))
    assert server.engine.id is not None
    server.stop()
    assert seen == [None]
