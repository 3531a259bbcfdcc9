"""Several processes tick at once, and one is killed: no instant is doubled, none is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.pipes import readable
from tests.server.schedules.support import (
    GROUP,
    Hands,
    entered_runs,
    entry,
    faults,
    lines,
    next_due,
    release,
    run_rows,
    scheduled,
    ticked,
)
from tests.server.support import on_both

from stepwell import clock
from stepwell.schedules import Every, Misfire, Overlap
from stepwell.server.app import Server
from stepwell.server.groups import service as groups
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.definitions.sync import sync_with_release
from stepwell.server.schedules.ledger.books import Books, ByRunsRoom
from stepwell.server.schedules.records import Change
from stepwell.step import StepQuery
from stepwell.testing.launcher_contract import until

TICKER = Path(__file__).with_name("ticker.py")
SCHEDULES = 8
MINUTES = 12
EACH = Every(minutes=1, misfire=Misfire.ALL, overlap=Overlap.ALLOW)

Process: TypeAlias = "subprocess.Popen[str]"


@pytest.fixture
def overdue(server: Server) -> list[UUID]:
    """Schedules for which nobody has ticked for twelve minutes."""
    begun = clock.now() - timedelta(minutes=MINUTES, seconds=30)
    with server.db.write() as conn:
        return [
            changing.add(
                conn,
                EACH,
                begun,
                "Added by the test.",
                group_name=GROUP,
                workflow="nightly",
                name=f"s-{number}",
                origin="added",
                changed_by="the test",
                parameters={},
            )
            for number in range(SCHEDULES)
        ]


@pytest.fixture
def start(database_url: str) -> Iterator[Any]:
    """`start(mode)` starts a ticker; all are gone at the end of the test."""
    made: list[Process] = []

    def started(mode: str) -> Process:
        command = [sys.executable, str(TICKER), database_url, mode]
        made.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return made[-1]

    yield started
    for process in made:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def line(*processes: Process) -> str:
    """The first line that one of them writes; empty if it ends without one."""
    outputs = [process.stdout for process in processes if process.stdout is not None]
    ready = readable(outputs, 90)
    assert ready, "they hang"
    return ready[0].readline().strip()


def check(server: Server, schedule_id: UUID) -> None:
    """Each due instant has one run, one line of the ledger, and the chain is whole."""
    assert faults(server, schedule_id) == []
    due = [row["due_at"] for row in run_rows(server, schedule_id)]
    assert Counter(due).most_common(1)[0][1] == 1, "an instant ran twice"
    end = next_due(server, schedule_id)
    assert end is not None
    assert due == list(EACH.between(due[0], end)), "an instant is missing"
    assert len(due) >= MINUTES
    assert sum(count for _, _, count in lines(server, schedule_id)) == len(due)
    assert sorted(entered_runs(server, schedule_id)) == sorted(
        row["id"] for row in run_rows(server, schedule_id)
    )


def check_steps(server: Server, runs: int) -> None:
    """Header, first operation and supervising step come together, or none of them."""
    with server.db.store.transaction() as tx:
        assert tx.count(StepQuery(name=f"v1/{GROUP}/nightly/load")).ready == runs
        assert tx.count(StepQuery(name="v1/server/supervise")).ready == runs


@on_both
def test_two_processes_and_one_killed_in_a_transaction_settle_each_instant_once(
    server: Server, overdue: list[UUID], start: Any, hands: Hands
) -> None:
    victim = start("stall")
    assert line(victim) == "stalled"
    both = [start("run"), start("run")]
    if server.db.engine.dialect.name == "postgresql":  # there others go on while it hangs
        assert line(*both).startswith("settled")
    victim.kill()
    victim.wait()
    for process in both:
        assert process.wait(timeout=100) == 0
    for one in overdue:
        check(server, one)
    check_steps(server, sum(len(run_rows(server, one)) for one in overdue))


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_tick_and_a_release_do_not_wait_for_each_other(server: Server, hands: Hands) -> None:
    """The tick holds schedules and refers to the group; the release holds the group first."""
    one = scheduled(server, Every(hours=1))
    release_id = release(server, entry("nightly"), entry("other", Every(hours=2).as_json()))
    hands.move(hours=1)
    holding, blocked = threading.Event(), threading.Event()

    class Meeting(ByRunsRoom):
        def start(self, *given: Any) -> UUID:
            holding.set()
            assert blocked.wait(90)
            return super().start(*given)

    with ThreadPoolExecutor() as pool:
        ticking = pool.submit(ticked, server, Books(server.db, runs=Meeting()))
        assert holding.wait(90)
        releasing = pool.submit(released_under_lock, server, release_id)
        wait_for_a_blocked_session(server)
        blocked.set()
        ticking.result(90)
        assert [change.verb for change in releasing.result(90)] == ["created"]
    assert lines(server, one) == [("ran", None, 1)]


def released_under_lock(server: Server, release_id: UUID) -> list[Change]:
    """As the reviews room does it."""
    with server.db.write() as conn:
        groups.active(conn, GROUP)
        return sync_with_release(conn, server.services, release_id, "ada")


def wait_for_a_blocked_session(server: Server) -> None:
    """Until some session of the database waits for a lock."""
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def waits() -> bool:
        with server.db.read() as conn:
            return bool(conn.execute(query).scalar_one())

    until(waits)
