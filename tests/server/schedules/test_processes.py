"""Several processes tick at once, and one is killed: no instant is doubled, none is lost."""

from __future__ import annotations

import select
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from tests.server.schedules.support import (
    GROUP,
    Hands,
    entered_runs,
    faults,
    lines,
    next_due,
    run_rows,
)
from tests.server.support import on_both

from stepwell import clock
from stepwell.schedules import Every, Misfire, Overlap
from stepwell.server.app import Server
from stepwell.server.schedules import changing
from stepwell.step import StepQuery

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


def line(process: Process) -> str:
    """The first line that it writes; empty if it ends without one."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "it hangs"
    return process.stdout.readline().strip()


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
        assert line(both[0]).startswith("settled")
    victim.kill()
    victim.wait()
    for process in both:
        assert process.wait(timeout=100) == 0
    for one in overdue:
        check(server, one)
    check_steps(server, sum(len(run_rows(server, one)) for one in overdue))
