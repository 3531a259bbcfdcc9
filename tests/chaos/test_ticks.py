"""1,000 schedules due in the same second, two servers, one killed: each instant is in the ledger.

R29, R30: nothing lost, nothing doubled, all accounted for within 10 s; within 20 s where
the server that held the tick was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import PIPE
from typing import Final, TypeAlias

import pytest
from sqlalchemy import func
from sqlalchemy import select as query
from tests.pipes import readable
from tests.server.schedules.support import GROUP, entry, release
from tests.server.support import on_both

from stepwell import clock
from stepwell.schedules import Every
from stepwell.server.app import Server
from stepwell.server.database.tables import ledger, runs
from stepwell.server.schedules.audits import service as audits
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.instant import now_of
from stepwell.server.settings import Settings
from stepwell.step import StepQuery

SCHEDULES: Final = 1_000
ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = Path(__file__).with_name("ticking.py")
LIMIT: Final = {"the holder": 20.0, "the other": 10.0}
"""Seconds from the due second until all are accounted for, by who was killed."""

MOST_SLACK: Final = 6.0
"""The limits are for a machine that does nothing else. Where `crowd` measures that others take
time from it, before or after, they are as many times as long as that; never more than this."""

Process: TypeAlias = "subprocess.Popen[str]"


@contextmanager
def ticking(url: str, folder: Path) -> Iterator[Process]:
    """A server in a process of its own, that is ready."""
    command = [sys.executable, str(PROGRAM), url, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    made = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=environment)
    try:
        assert told([made], 180)[1] == "ready"
        yield made
    finally:
        made.kill()
        made.wait()
        for one in (made.stdin, made.stdout):
            assert one is not None
            one.close()


def go_on(process: Process) -> None:
    """Let a server that has stopped within a tick go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def told(processes: list[Process], seconds: float) -> tuple[Process, str]:
    """Who says something first, and what."""
    outputs = {one.stdout: one for one in processes if one.stdout is not None}
    ready = readable(outputs, seconds)
    assert ready, "they say nothing"
    return outputs[ready[0]], ready[0].readline().strip()


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """The test's own look at the database, with a released workflow."""
    settings = Settings(data_dir=tmp_path, database_url=database_url, run_engine=False)
    made = Server(settings, launchers={})
    made.db.migrate()
    with made:
        release(made, entry("nightly"))
        yield made


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_database")()
        return url
    return f"sqlite:///{tmp_path / 'server.db'}"


def add_all(server: Server) -> datetime:
    """Add the schedules in one transaction that wakes the tick; when all of them are due, or
    committed if that took longer."""
    with server.db.write() as conn:
        begun, now = time.monotonic(), now_of(conn)
        for number in range(SCHEDULES // 10):
            add_one(server, conn, now, now + timedelta(hours=1), number)
        spent = 10 * (time.monotonic() - begun)
        conn.rollback()
    for times in (2, 4, 8):  # where it took too long to mean anything, with more time again
        with server.db.write() as conn:
            now = now_of(conn)
            due = (now + timedelta(seconds=times * spent + 3)).replace(microsecond=0)
            for number in range(SCHEDULES):
                add_one(server, conn, now, due, number)
            changing.wake(conn, server.db)
            if clock.now() + timedelta(seconds=1) < due:
                break
            conn.rollback()
    return max(due, clock.now())


def add_one(server: Server, conn: object, now: datetime, due: datetime, number: int) -> None:
    changing.add(
        conn,  # type: ignore[arg-type]
        Every(hours=24, anchor=due),
        now,
        "Added by the test.",
        group_name=GROUP,
        workflow="nightly",
        name=f"s-{number}",
        origin="added",
        changed_by="the test",
        parameters={},
    )


def accounted(server: Server) -> int:
    with server.db.read() as conn:
        count = query(func.count()).select_from(ledger).where(ledger.c.fate == "ran")
        found: int = conn.execute(count).scalar_one()
        return found


def all_accounted(server: Server, due: datetime, seconds: float) -> float:
    """Seconds after `due` at which the last instant was entered; looks four times a second."""
    while accounted(server) < SCHEDULES:
        late = (clock.now() - due).total_seconds()
        assert late < seconds, f"{accounted(server)} of {SCHEDULES} after {late:.1f} s"
        time.sleep(0.25)
    return (clock.now() - due).total_seconds()


def crowd() -> float:
    """How many times its CPU time a piece of work takes now, in two processes at once."""
    work = (
        "import time; wall, cpu = time.monotonic(), time.process_time(); sum(range(10_000_000));"
        "print((time.monotonic() - wall) / (time.process_time() - cpu))"
    )
    command = [sys.executable, "-c", work]
    both = [subprocess.Popen(command, stdout=PIPE, text=True) for _ in range(2)]
    return max(1.0, *(float(one.communicate()[0]) for one in both))


def check(server: Server) -> None:
    """Each instant once: one run, one line, one first operation, one supervisor; whole chains."""
    with server.db.read() as conn:
        per_schedule = Counter(conn.execute(query(runs.c.schedule_id)).scalars())
        audit = audits.audited_all(conn, server.services, None, None)
    assert (len(per_schedule), set(per_schedule.values())) == (SCHEDULES, {1})
    assert audit.proven, [one.breaks for one in audit.audits if not one.proven][:5]
    assert audit.due == audit.accounted == SCHEDULES
    with server.db.store.transaction() as tx:
        assert tx.count(StepQuery(name=f"v1/{GROUP}/nightly/load")).ready == SCHEDULES
        supervising = tx.count(StepQuery(name="v1/server/supervise"))
    assert supervising.ready + supervising.done == SCHEDULES


@pytest.mark.slow
@on_both
@pytest.mark.parametrize("victim", ["the holder", "the other"])
def test_a_thousand_due_at_once_and_a_server_killed_within_the_tick(
    server: Server, database_url: str, tmp_path: Path, victim: str
) -> None:
    with ExitStack() as stack:
        folders = [tmp_path / name for name in ("a", "b")]
        both = [stack.enter_context(ticking(database_url, folder)) for folder in folders]
        before, due = crowd(), add_all(server)
        holder, said = told(both, 180)
        assert said == "within"
        other = next(one for one in both if one is not holder)
        killed = holder if victim == "the holder" else other
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        go_on(other if victim == "the holder" else holder)
        took = all_accounted(server, due, MOST_SLACK * LIMIT[victim])
        check(server)
        limit = LIMIT[victim] * min(MOST_SLACK, max(before, crowd()))
    kind = server.db.engine.dialect.name
    print(f"{kind}, {victim} killed: accounted for after {took:.1f} s; limit here {limit:.1f} s")
    assert took < limit
