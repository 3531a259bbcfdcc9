"""A system under test as a process of its own, which waits at the line until told to go.

It prints `ready` when everything is imported, reads a line, works, and prints what it found as
one line of JSON. So the time of starting Python is in no figure, and several processes begin
at the same moment.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PATIENCE: Final = 1800.0
"""Seconds after which a subject is given up."""


def serve(work: Callable[..., Any]) -> None:
    """In the subject: call `work` with the command line's arguments when told to."""
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.time()
    found = work(*sys.argv[1:])
    print(json.dumps({"began": began, "ended": time.time(), "found": found}), flush=True)


class Subject:
    """A started subject.

    Parameters
    ----------
    module : run as `python -m module`, or the path of a program.
    arguments : its command line.
    python : the interpreter; peers have one of their own.
    """

    def __init__(
        self, module: str, arguments: Sequence[object], python: str | Path = sys.executable
    ) -> None:
        self._name = module
        self._process = subprocess.Popen(
            [python, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise self._broken("did not start")

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """Wait for its end: `began` and `ended` in Unix seconds, and what it `found`.

        Raises
        ------
        RuntimeError : it failed; with what it wrote.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("{"):
            raise self._broken("failed")
        self._process.wait(timeout=60)
        found: dict[str, Any] = json.loads(line)
        return found

    def _broken(self, what: str) -> RuntimeError:
        self._process.kill()
        _, errors = self._process.communicate()
        return RuntimeError(f"{self._name} {what}:\n{errors[-4000:]}")


def race(subjects: Sequence[Subject]) -> tuple[float, list[dict[str, Any]]]:
    """Let all go at once; when (Unix seconds), and the result of each."""
    began = time.time()
    for one in subjects:
        one.go()
    return began, [one.result() for one in subjects]
