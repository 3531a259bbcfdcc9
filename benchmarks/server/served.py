"""A server in a process of its own, with one group of three trivial operations."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from stepwell.cli.client import Client
from stepwell.cli.profile import FILE, FOLDER, read
from stepwell.cli.serving.listener import bound

GROUP: Final = """
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("bench")


@group.workflow
class Three:
    @operation
    def first(self) -> int:
        return 1

    @operation
    def second(self, first: int) -> int:
        return first + 1

    @operation
    def third(self, second: int) -> int:
        return second + 1
"""
ENDED: Final = ("succeeded", "failed", "cancelled")
PATIENCE: Final = 300.0
_HELD: Final[list[socket.socket]] = []
_GONE: Final = (FileNotFoundError, ProcessLookupError)
"""How Linux says that a process has ended: before its file was opened, or after."""

T = TypeVar("T")


class Served:
    """`stepwell dev` in a folder, by the interpreter of some environment."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder, self._python = folder, python
        self._port = str(free_port())  # the same after a kill: containers call it there
        (folder / "group.py").write_text(GROUP)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.api = self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Client:
        """Start it, and wait until its group can run."""
        profile = self.folder / FOLDER / FILE
        profile.unlink(missing_ok=True)
        log = self.folder / "output.log"
        seen = log.stat().st_size if log.exists() else 0
        command = [str(self._python), "-m", "stepwell.cli", "dev", "group.py", "--approve"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--port", self._port], cwd=self.folder, stdout=output, stderr=output
            )
        until(lambda: b"watching " in log.read_bytes()[seen:])
        return Client(read(profile))

    def pids(self) -> list[int]:
        """All processes of it: itself, and what descends from it."""
        assert self._process is not None
        return descendants(self._process.pid)

    def run_once(self) -> None:
        """A run, from the request for it until its state says that it has succeeded."""
        run = finished(self.api, trigger(self.api))
        assert run["state"] == "succeeded", run

    def kill(self) -> None:
        """As a machine without memory does it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an operator does it."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait()


def free_port() -> int:
    """A port that nobody listens on.

    The socket that holds it listens nowhere: who asks for the port by its number gets it, and
    nobody is given it who asks for any.
    """
    _HELD.append(bound("127.0.0.1", 0))
    return int(_HELD[-1].getsockname()[1])


def trigger(api: Client) -> str:
    """Ask for a run; its id."""
    return str(api.post("/workflows/bench/three/runs", {})["id"])


def finished(api: Client, run_id: str) -> dict[str, Any]:
    """The run, when it has ended; looked at every 10 ms."""

    def look() -> dict[str, Any] | None:
        run: dict[str, Any] = api.get(f"/runs/{run_id}")
        return run if run["state"] in ENDED else None

    return until(look)


def until(happened: Callable[[], T | None], every: float = 0.01) -> T:
    """What `happened` gives as soon as that is true; raises `TimeoutError`."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        time.sleep(every)
    raise TimeoutError("it did not happen")


def descendants(pid: int) -> list[int]:
    """A process and all below it (Linux)."""
    found = [pid]
    with suppress(*_GONE):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in _said(pid, f"task/{task.name}/children").split():
                found += descendants(int(child))
    return found


def _said(pid: int, file: str) -> str:
    """What the system says of a process there; nothing of one that has ended meanwhile."""
    with suppress(*_GONE):
        return Path(f"/proc/{pid}/{file}").read_text()
    return ""


def memory(pids: list[int]) -> dict[str, float]:
    """RSS and PSS of the processes together, MiB."""
    sums = {"RSS": 0.0, "PSS": 0.0}
    for pid in pids:
        said = _said(pid, "smaps_rollup")
        for kind in sums:
            match = re.search(rf"^{kind.capitalize()}:\s+(\d+)", said, re.MULTILINE)
            sums[kind] += int(match[1]) / 1024 if match else 0.0
    return sums


def cpu(pids: list[int]) -> float:
    """Seconds of a core that the processes, and those they waited for, have used."""
    ticks = 0
    for pid in pids:
        fields = _said(pid, "stat").rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
