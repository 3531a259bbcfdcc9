"""Real processes that run engines, and the two durable stores."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepwell.stores import open_store
from stepwell.stores.protocol import Store

PROGRAM = Path(__file__).with_name("program.py")


class Process:
    """A child whose lines can be waited for."""

    def __init__(self, url: str, seconds: float, program: Path = PROGRAM, *more: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, str(program), url, str(seconds), *more],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.seen: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self._lines.put(line.strip())

    def wait_for(self, start: str, seconds: float = 90.0) -> str:
        """The next line that begins with `start`."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                raise AssertionError(f"no line {start!r}; seen: {self.seen}") from None
            self.seen.append(line)
            if line.startswith(start):
                return line

    def all_lines(self) -> list[str]:
        """Whatever it has said, now that it has ended."""
        self.child.wait(90)
        self._reader.join(90)
        while not self._lines.empty():
            self.seen.append(self._lines.get())
        return self.seen

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.child.pid, number)

    def let_go(self, number: int = 1) -> None:
        """End the work of so many steps, one after another."""
        for _ in range(number):
            self.signal(signal.SIGUSR1)
            self.wait_for("end")

    def end(self) -> None:
        """Kill it, whatever it does."""
        if self.child.poll() is None:
            self.signal(signal.SIGKILL)
        self.child.wait()


@pytest.fixture
def engine_process() -> Iterator[Callable[[str, float], Process]]:
    """Starts engines as processes; all are gone after the test."""
    started: list[Process] = []

    def start(url: str, seconds: float) -> Process:
        started.append(Process(url, seconds))
        started[-1].wait_for("engine.started")
        return started[-1]

    yield start
    for process in started:
        process.end()


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh durable store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'steps.db'}"
    made: str = request.getfixturevalue(f"{request.param}_database")()
    return made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The store itself, with its schema, for the test's own use."""
    made = open_store(url)
    made.migrate()
    made.open()
    yield made
    made.close()
