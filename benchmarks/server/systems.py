"""What is measured: systems that run a workflow of three trivial operations."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from benchmarks.environments import Environment
from benchmarks.machine import versions
from benchmarks.server.served import Served, descendants
from benchmarks.subject import ROOT

PATIENCE: Final = 30.0
"""Seconds for a peer to end by itself."""


class System(Protocol):
    """One that is ready to run its workflow."""

    def pids(self) -> list[int]:
        """All its processes."""
        ...

    def run_once(self) -> None:
        """Ask for a run; return as soon as its state says that it has succeeded."""
        ...


class Peer(ABC):
    """Another system, by its programs in a folder of its own; a context from start to end.

    Parameters
    ----------
    folder : empty.
    python : the interpreter of its environment.
    """

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder, self._programs = folder, python.parent
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "DO_NOT_TRACK": "1"}
        self._processes: list[subprocess.Popen[bytes]] = []

    @abstractmethod
    def begin(self) -> None:
        """Start its programs; return when its workflow can be run."""

    @abstractmethod
    def run_once(self) -> None:
        """Of `System`."""

    def start(self, program: str, *arguments: str) -> None:
        """Start a program of its environment."""
        with (self.folder / "output.log").open("ab") as output:
            self._processes.append(
                subprocess.Popen(
                    [str(self._programs / program), *arguments],
                    cwd=self.folder,
                    env=self.environment,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )

    def pids(self) -> list[int]:
        """Of `System`."""
        return [pid for one in self._processes for pid in descendants(one.pid)]

    def __enter__(self) -> Self:
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@dataclass(frozen=True, slots=True)
class Measured:
    """A system: what `pip` is given to install it, and how it is started in an empty folder."""

    name: str
    packages: Sequence[str]
    versions: dict[str, str]
    python: Path
    start: Callable[[Path, Path], AbstractContextManager[System]]

    @contextmanager
    def ready(self) -> Iterator[System]:
        """It is started, and has run once."""
        with tempfile.TemporaryDirectory() as folder, self.start(Path(folder), self.python) as one:
            one.run_once()
            yield one


def itself() -> Measured:
    """Stepwell as it is here."""
    return Measured("stepwell", [f"{ROOT}[server]"], versions(), Path(sys.executable), Served)


def peer(name: str, start: type[Peer]) -> Measured:
    """A peer as pinned."""
    home = Environment(name)
    return Measured(name, home.pins, {name: home.version}, home.python, start)
