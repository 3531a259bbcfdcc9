"""Child processes of an engine: none outlives it, and none outlives its step's cancelling."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.engine.signals import gone, wait_for

from stepwell import StepClient, new_step
from stepwell.stores.protocol import Store

PROGRAM = Path(__file__).with_name("apart.py")


@pytest.fixture
def children() -> list[int]:
    return []


@pytest.fixture
def start(
    url: str, store: Store, children: list[int]
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def begin(*more: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, PROGRAM, url, *more],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()
    for child in children:
        if not gone(child):  # the rule is broken: at least the machine is spared
            os.kill(child, signal.SIGKILL)


@pytest.fixture
def spinning(store: Store, children: list[int], tmp_path: Path) -> Callable[[], tuple[UUID, int]]:
    """Adds a step that is run; returns it, and the process that does so."""
    where = tmp_path / "pid"

    def added() -> tuple[UUID, int]:
        step_id = StepClient(store).add(new_step("v1/spin", str(where)))
        wait_for(lambda: where.exists() and where.read_text())
        children.append(int(where.read_text()))
        return step_id, children[-1]

    return added


def test_the_children_of_a_killed_engine_end_too(
    start: Callable[..., subprocess.Popen[str]], spinning: Callable[[], tuple[UUID, int]]
) -> None:
    engine = start()
    _, child = spinning()
    assert not gone(child)
    engine.send_signal(signal.SIGKILL)
    wait_for(lambda: gone(child))


def test_a_step_cancelled_from_elsewhere_ends_in_its_process(
    start: Callable[..., subprocess.Popen[str]],
    store: Store,
    spinning: Callable[[], tuple[UUID, int]],
) -> None:
    engine = start()
    steps = StepClient(store)
    step_id, child = spinning()
    steps.cancel(step_id, "not needed")
    wait_for(lambda: gone(child))
    after = steps.add(new_step("v1/done"))
    wait_for(lambda: steps.get(after).ended_as == "done")
    assert steps.get(step_id).ended_as == "cancelled"
    assert engine.poll() is None


def test_a_signal_to_the_whole_group_lets_running_children_end(
    start: Callable[..., subprocess.Popen[str]],
    store: Store,
    spinning: Callable[[], tuple[UUID, int]],
) -> None:
    """As Ctrl-C in a terminal, or systemd: the engine decides about its children."""
    engine = start()
    _, child = spinning()
    for number in (signal.SIGTERM, signal.SIGINT):
        subprocess.run(["kill", f"-{number}", str(child)], check=True)
    steps = StepClient(store)
    after = steps.add(new_step("v1/done"))
    wait_for(lambda: steps.get(after).ended_as == "done")
    assert not gone(child)
    assert engine.poll() is None


def test_a_program_that_starts_its_engine_on_import_is_told(
    start: Callable[..., subprocess.Popen[str]], store: Store
) -> None:
    engine = start("unguarded")
    steps = StepClient(store)
    step_id = steps.add(new_step("v1/done"))
    wait_for(lambda: steps.get(step_id).failure_count)
    engine.kill()
    assert "if __name__ == '__main__'" in engine.communicate()[1]
    assert "The handler's process is gone" in str(steps.get(step_id).description)
