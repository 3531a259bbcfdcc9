"""Several processes on one file: they hear of each other, share no row, and die cleanly."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import Addition, Step, StepQuery
from stepwell.stores.sqlite import SQLiteStore

COMMON = """
import sys, time
from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import Addition, Step, StepQuery
from stepwell.stores.protocol import ClaimRequest, EngineInfo
from stepwell.stores.sqlite import SQLiteStore

def step():
    return Step(id=new_id(), name="v1/a", flow_id=new_id(), created_at=now(), schedule_time=now())

store = SQLiteStore(sys.argv[1])
"""
ADD = (
    COMMON
    + """
sys.stdin.readline()
with store.transaction() as tx:
    tx.add([Addition(step())])
"""
)
CLAIM = (
    COMMON
    + """
engine = new_id()
with store.transaction() as tx:
    tx.join(EngineInfo(id=engine, name="e", version="1", handles=("v1/a",), queues=("default",)))
while True:
    request = ClaimRequest(engine_id=engine, request_id=new_id(), names=("v1/a",), limit=3)
    with store.transaction() as tx:
        claimed = tx.claim(request).steps
    if not claimed:
        break
    for one in claimed:
        print(one.id)
"""
)
HALF = (
    COMMON
    + """
with store.transaction() as tx:
    tx.add([Addition(step()) for _ in range(1000)])
    print("written", flush=True)
    time.sleep(60)
"""
)


def start(program: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_wake_hears_of_another_process_without_a_query(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    with sqlite_store.transaction() as tx:  # as an engine, whose connection keeps the log there
        assert tx.count(StepQuery()).ready == 0
    other = start(ADD, sqlite_path)
    wake = sqlite_store.wake()
    timer = threading.Timer(0.2, other.communicate, args=("go\n",))
    timer.start()
    assert wake.wait(90)
    timer.join()
    with sqlite_store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 1


def test_processes_that_claim_at_once_never_share_a_row(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    steps = [
        Step(id=new_id(), name="v1/a", flow_id=new_id(), created_at=now(), schedule_time=now())
        for _ in range(120)
    ]
    with sqlite_store.transaction() as tx:
        tx.add([Addition(one) for one in steps])
    programs = [start(CLAIM, sqlite_path) for _ in range(3)]
    taken = [line for one in programs for line in one.communicate(timeout=90)[0].split()]
    assert sorted(taken) == sorted(str(one.id) for one in steps)


def test_a_process_killed_in_its_transaction_leaves_nothing_and_blocks_nobody(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    other = start(HALF, sqlite_path)
    assert other.stdout is not None
    assert other.stdout.readline() == "written\n"
    other.kill()
    other.wait(90)
    other.communicate()
    with sqlite_store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 0
        step = Step(
            id=new_id(), name="v1/a", flow_id=new_id(), created_at=now(), schedule_time=now()
        )
        assert tx.add([Addition(step)]) == [True]
