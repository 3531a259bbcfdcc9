"""Real processes on one SQLite file, and some that are killed: no instant is doubled or lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.engine.signals import wait_for

from stepwell import Engine, Registry, Step, StepClient, StepStatus
from stepwell.engine import heartbeat
from stepwell.schedules import Every, Misfire, Overlap
from stepwell.schedules.recurring import SCHEDULE, Timetable, correlation, due_at
from stepwell.stores import open_store
from stepwell.stores.sqlite import SQLiteStore

PROGRAM = Path(__file__).with_name("program.py")
EVERY_SECOND = Every(seconds=1, misfire=Misfire.ALL, overlap=Overlap.ALLOW)
"""Each of them, also where the machine pauses for some."""

Start: TypeAlias = "Callable[[str], subprocess.Popen[str]]"


@pytest.fixture
def steps(tmp_path: Path) -> Iterator[StepClient]:
    store = SQLiteStore(tmp_path / "steps.db")
    store.migrate()
    yield StepClient(store)
    store.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(mode)` starts the program; all are gone at the end of the test."""
    made: list[subprocess.Popen[str]] = []

    def started(mode: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAM), f"sqlite:///{tmp_path / 'steps.db'}", mode]
        made.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return made[-1]

    yield started
    for process in made:
        process.kill()
        process.communicate()


def wait_until_done(steps: StepClient, number: int) -> None:
    wait_for(lambda: steps.count(name="v1/work").done >= number)


def check(steps: StepClient) -> None:
    """Each second has exactly one row, from the first to the one before the next due."""
    plan = Timetable(steps).find("each-second")
    rows = steps.search(correlation_id=correlation("each-second"), oldest_first=True)
    due = [due_at(row) for row in rows]
    assert due == [due[0] + timedelta(seconds=n) for n in range(len(due))]
    assert plan is not None
    assert plan.next_due == due[-1] + timedelta(seconds=1)
    assert {row.name for row in rows} == {"v1/work"}
    assert steps.count(name=SCHEDULE).ready == 1


def test_two_processes_run_each_instant_once(steps: StepClient, start: Start) -> None:
    both = [start("share"), start("share")]
    wait_until_done(steps, 4)
    for process in both:
        process.send_signal(signal.SIGTERM)
    printed = [line for process in both for line in process.communicate(timeout=90)[0].split()]
    assert [process.returncode for process in both] == [0, 0]
    assert len(printed) == len(set(printed)), "an instant ran twice"
    check(steps)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["die-before", "die-after"])
def test_a_process_killed_around_its_decision_costs_no_instant_and_doubles_none(
    steps: StepClient, start: Start, mode: str
) -> None:
    assert start(mode).wait(90) == -signal.SIGKILL
    assert steps.count(name="v1/work", status=StepStatus.READY).ready == (mode == "die-after")
    survivor = start("run")
    wait_until_done(steps, 3)
    survivor.send_signal(signal.SIGTERM)
    assert survivor.wait(90) == 0
    check(steps)


@pytest.mark.parametrize("server", ["postgres", "mysql"])
def test_on_a_database_server_each_instant_runs_once_too(
    server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two engines; the time of a pass is the database's."""
    monkeypatch.setattr(heartbeat, "DEAD_AFTER", 1e6)  # neither is dead that stands still
    store = open_store(request.getfixturevalue(f"{server}_steps"))
    seen, enough = list[datetime](), threading.Event()

    def work(step: Step) -> None:
        seen.append(due_at(step))
        if len(seen) >= 3:
            enough.set()

    def engine() -> Engine:
        registry = Registry()
        registry.add(work, "v1/work")
        made = Engine(store, registry)
        timetable = Timetable(made, registry)
        timetable.schedule("v1/work", EVERY_SECOND, name="each-second")
        return made

    with engine(), engine():
        assert enough.wait(90)
    assert len(seen) == len(set(seen)), "an instant ran twice"
    steps = StepClient(store)
    done = steps.search(name="v1/work", status=StepStatus.DONE, limit=1000)
    assert set(seen) == set(map(due_at, done))
    check(steps)
    store.close()
